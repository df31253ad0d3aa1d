-- Lots: parts of a balance with terms of their own. Exchanges: two balanced sides and a rate.

ALTER TABLE transactions
    DROP CONSTRAINT transactions_kind_known,
    ADD CONSTRAINT transactions_kind_known CHECK (
        kind IN (
            'TOP_UP', 'BOOKING', 'COMMIT', 'CANCELLATION', 'USAGE', 'TRANSFER', 'VOID',
            'EXPIRATION', 'BREAKAGE', 'EXCHANGE'
        )
    ),
    ADD COLUMN exchange_rate jsonb,
    ADD CONSTRAINT transactions_exchange_has_rate
        CHECK ((kind = 'EXCHANGE') = (exchange_rate IS NOT NULL));

ALTER TABLE accounts
    DROP CONSTRAINT accounts_account_type_known,
    ADD CONSTRAINT accounts_account_type_known CHECK (
        account_type IN (
            'WALLET', 'FUNDING', 'REVENUE', 'VENDOR_COST', 'VENDOR_PAYABLE', 'BREAKAGE', 'EXCHANGE'
        )
    ),
    ADD COLUMN open_lots integer NOT NULL DEFAULT 0
        CONSTRAINT accounts_open_lots_range CHECK (open_lots BETWEEN 0 AND 1000);
COMMENT ON COLUMN accounts.open_lots IS 'How many of its lots still hold something: 0 saves a look.';
GRANT UPDATE (open_lots) ON accounts TO wallet_service;

CREATE TABLE lots (
    transaction_id bigint NOT NULL,
    lot_index smallint NOT NULL,
    account_id bigint NOT NULL,
    kind text NOT NULL
        CONSTRAINT lots_kind_known CHECK (kind IN ('PAID', 'BONUS', 'PACKAGE', 'ADD_ON')),
    priority smallint NOT NULL
        CONSTRAINT lots_priority_range CHECK (priority BETWEEN 1 AND 1000),
    expires_at timestamptz,
    amount_minor bigint NOT NULL
        CONSTRAINT lots_amount_minor_positive CHECK (amount_minor > 0),
    remaining_minor bigint NOT NULL,
    held_minor bigint NOT NULL DEFAULT 0,
    last_transaction_id bigint NOT NULL,
    CONSTRAINT lots_pkey PRIMARY KEY (transaction_id, lot_index),
    CONSTRAINT lots_remaining_minor_range
        CHECK (0 <= held_minor AND held_minor <= remaining_minor AND remaining_minor <= amount_minor)
) WITH (fillfactor = 70);
CREATE INDEX lots_account_id_idx ON lots (account_id) WHERE remaining_minor > 0;
CREATE INDEX lots_expires_at_idx ON lots (expires_at)
    WHERE remaining_minor > held_minor AND expires_at IS NOT NULL;
COMMENT ON TABLE lots IS 'Parts of balances, named by the transaction that added them and a number, '
    'and what is left of them.';

CREATE TABLE lot_entries (
    transaction_id bigint NOT NULL,
    leg_index smallint NOT NULL,
    draw_index smallint NOT NULL,
    lot_transaction_id bigint NOT NULL,
    lot_index smallint NOT NULL,
    amount_minor bigint NOT NULL,
    held_change_minor bigint NOT NULL,
    CONSTRAINT lot_entries_pkey PRIMARY KEY (transaction_id, leg_index, draw_index),
    CONSTRAINT lot_entries_moves_something CHECK (amount_minor <> 0 OR held_change_minor <> 0)
) PARTITION BY RANGE (transaction_id);
COMMENT ON TABLE lot_entries IS 'How much of an entry was on which lot, in the order drawn; append-only.';

CREATE TRIGGER lot_entries_append_only BEFORE UPDATE OR DELETE ON lot_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER lot_entries_no_truncate BEFORE TRUNCATE ON lot_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE FUNCTION ensure_partitions(months_ahead integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    parent text;
    partition text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions'));
    FOR step IN 0..months_ahead LOOP
        FOREACH parent IN ARRAY ARRAY['transactions', 'entries', 'lot_entries'] LOOP
            partition := parent || to_char(month, '_YYYY_MM');
            IF to_regclass(partition) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                    partition, parent,
                    transaction_id_at(month AT TIME ZONE 'UTC'),
                    transaction_id_at((month + interval '1 month') AT TIME ZONE 'UTC')
                );
                EXECUTE format(
                    'CREATE TRIGGER %I BEFORE TRUNCATE ON %I '
                    'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                    partition || '_no_truncate', partition
                );
            END IF;
        END LOOP;
        month := month + interval '1 month';
    END LOOP;
END $$;

GRANT SELECT, INSERT ON lots, lot_entries TO wallet_service;
GRANT UPDATE (remaining_minor, held_minor, last_transaction_id) ON lots TO wallet_service;
