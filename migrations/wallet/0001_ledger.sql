-- The books: wallets, accounts, and the immutable transactions and entries that move them.
--
-- Amounts are integers in minor units, debits positive and credits negative. A transaction id
-- holds the time of writing: milliseconds since 2024-01-01 UTC in the upper bits, then 12 bits
-- of batch number and 10 bits of position in the batch. Months are therefore ranges of ids.

CREATE TABLE assets (
    asset_code text CONSTRAINT assets_pkey PRIMARY KEY
        CONSTRAINT assets_asset_code_form CHECK (asset_code ~ '^[A-Z][A-Z0-9_]{1,15}$'),
    kind text NOT NULL
        CONSTRAINT assets_kind_known CHECK (kind IN ('CURRENCY', 'QUOTA')),
    scale smallint NOT NULL
        CONSTRAINT assets_scale_range CHECK (scale BETWEEN 0 AND 8)
);
COMMENT ON TABLE assets IS 'Currencies (ISO 4217 scale) and quota units that amounts may be in.';

INSERT INTO assets (asset_code, kind, scale) VALUES
    ('IDR', 'CURRENCY', 2),
    ('USD', 'CURRENCY', 2),
    ('SGD', 'CURRENCY', 2),
    ('JPY', 'CURRENCY', 0),
    ('ESIGN', 'QUOTA', 0),
    ('EKYC', 'QUOTA', 0),
    ('EMETERAI', 'QUOTA', 0);

CREATE TABLE wallets (
    wallet_id bigint GENERATED ALWAYS AS IDENTITY (START WITH 1001)
        CONSTRAINT wallets_pkey PRIMARY KEY,
    wallet_type text NOT NULL
        CONSTRAINT wallets_wallet_type_known
        CHECK (wallet_type IN ('PERSONAL', 'ENTERPRISE', 'RESELLER')),
    display_name text NOT NULL,
    parent_wallet_id bigint
        CONSTRAINT wallets_parent_wallet_id_fkey REFERENCES wallets,
    state text NOT NULL DEFAULT 'ACTIVE'
        CONSTRAINT wallets_state_known CHECK (state IN ('ACTIVE')),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX wallets_parent_wallet_id_idx ON wallets (parent_wallet_id, wallet_id);
COMMENT ON TABLE wallets IS 'Customers'' holdings.';

CREATE TABLE accounts (
    account_id bigint GENERATED ALWAYS AS IDENTITY
        CONSTRAINT accounts_pkey PRIMARY KEY,
    wallet_id bigint NOT NULL,
    account_type text NOT NULL
        CONSTRAINT accounts_account_type_known CHECK (
            account_type IN ('WALLET', 'FUNDING', 'REVENUE', 'VENDOR_COST', 'VENDOR_PAYABLE')
        ),
    asset_code text NOT NULL
        CONSTRAINT accounts_asset_code_fkey REFERENCES assets,
    stripe smallint NOT NULL,
    balance_minor bigint NOT NULL DEFAULT 0
        CONSTRAINT accounts_balance_minor_limit
        CHECK (balance_minor BETWEEN -1000000000000000000 AND 1000000000000000000),
    held_minor bigint NOT NULL DEFAULT 0
        CONSTRAINT accounts_held_minor_not_negative CHECK (held_minor >= 0),
    last_transaction_id bigint NOT NULL DEFAULT 0,
    CONSTRAINT accounts_key UNIQUE (wallet_id, account_type, asset_code, stripe),
    CONSTRAINT accounts_owner_known CHECK ((wallet_id > 0) = (account_type = 'WALLET')),
    CONSTRAINT accounts_available_not_negative
        CHECK (account_type <> 'WALLET' OR balance_minor + held_minor <= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE accounts IS 'One row for each wallet and asset, and one for each house account, asset and stripe. '
    'The house is wallet 0; its stripes keep writers apart, and their sum is the balance.';

CREATE TABLE transactions (
    transaction_id bigint NOT NULL
        CONSTRAINT transactions_transaction_id_positive CHECK (transaction_id > 0),
    kind text NOT NULL
        CONSTRAINT transactions_kind_known CHECK (
            kind IN ('TOP_UP', 'BOOKING', 'COMMIT', 'CANCELLATION', 'USAGE', 'TRANSFER')
        ),
    wallet_id bigint NOT NULL,
    booking_id bigint,
    request_id text NOT NULL,
    reference text NOT NULL,
    metadata jsonb NOT NULL,
    price_book_version text NOT NULL,
    charges jsonb NOT NULL,
    event bytea,
    traceparent text NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT transactions_pkey PRIMARY KEY (transaction_id)
) PARTITION BY RANGE (transaction_id);
CREATE INDEX transactions_wallet_id_idx ON transactions (wallet_id, transaction_id);
CREATE INDEX transactions_booking_id_idx ON transactions (booking_id, transaction_id)
    WHERE booking_id IS NOT NULL;
COMMENT ON TABLE transactions IS 'What was asked and accepted, with the event it gave rise to; append-only.';

CREATE TABLE entries (
    transaction_id bigint NOT NULL,
    leg_index smallint NOT NULL,
    account_id bigint NOT NULL,
    asset_code text NOT NULL,
    amount_minor bigint NOT NULL,
    held_change_minor bigint NOT NULL,
    balance_after_minor bigint NOT NULL,
    held_after_minor bigint NOT NULL,
    CONSTRAINT entries_pkey PRIMARY KEY (transaction_id, leg_index),
    CONSTRAINT entries_moves_something CHECK (amount_minor <> 0 OR held_change_minor <> 0)
) PARTITION BY RANGE (transaction_id);
CREATE INDEX entries_account_id_idx ON entries (account_id, transaction_id);
COMMENT ON TABLE entries IS 'The signed legs of transactions; append-only. Every balance is their sum.';

CREATE TABLE holds (
    booking_id bigint CONSTRAINT holds_pkey PRIMARY KEY,
    account_id bigint NOT NULL,
    amount_minor bigint NOT NULL
        CONSTRAINT holds_amount_minor_positive CHECK (amount_minor > 0),
    captured_minor bigint NOT NULL DEFAULT 0
        CONSTRAINT holds_captured_minor_not_negative CHECK (captured_minor >= 0),
    released_minor bigint NOT NULL DEFAULT 0
        CONSTRAINT holds_released_minor_not_negative CHECK (released_minor >= 0),
    CONSTRAINT holds_taken_within_amount CHECK (captured_minor + released_minor <= amount_minor)
) WITH (fillfactor = 70);
COMMENT ON TABLE holds IS 'Money set aside by a booking, and how much of it was taken or set free.';

CREATE TABLE requests (
    request_digest bytea CONSTRAINT requests_pkey PRIMARY KEY,
    body_digest bytea NOT NULL,
    transaction_id bigint,
    wallet_id bigint,
    refusal jsonb,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT requests_one_outcome CHECK (num_nonnulls(transaction_id, wallet_id, refusal) = 1)
);
COMMENT ON TABLE requests IS 'The one outcome of each request id. Keys are 16-byte BLAKE2b digests, '
    'which keep the index small and unique over all months.';

CREATE TABLE outbox (
    transaction_id bigint CONSTRAINT outbox_pkey PRIMARY KEY,
    wallet_id bigint NOT NULL
);
COMMENT ON TABLE outbox IS 'Transactions whose event is not yet published.';

CREATE TABLE feed_lease (
    singleton boolean CONSTRAINT feed_lease_pkey PRIMARY KEY DEFAULT true
        CONSTRAINT feed_lease_one_row CHECK (singleton),
    consumer_id text NOT NULL,
    leased_until timestamptz NOT NULL
);
INSERT INTO feed_lease (consumer_id, leased_until) VALUES ('', '-infinity');
COMMENT ON TABLE feed_lease IS 'Which publisher reads the feed.';

CREATE SEQUENCE batch_numbers;

-- Guards. They hold for every role, the owner's and the service's alike.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unbalanced record;
BEGIN
    SELECT transaction_id, asset_code, sum(amount_minor) AS off_minor INTO unbalanced
    FROM new_entries
    GROUP BY transaction_id, asset_code
    HAVING sum(amount_minor) <> 0
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transaction % is off by % in %',
            unbalanced.transaction_id, unbalanced.off_minor, unbalanced.asset_code
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_balanced';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_balanced AFTER INSERT ON entries
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entries_no_truncate BEFORE TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE ON transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transactions_no_truncate BEFORE TRUNCATE ON transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Partitions.

CREATE FUNCTION transaction_id_at(moment timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (floor(extract(epoch FROM moment) * 1000)::bigint - 1704067200000) << 22;

CREATE FUNCTION ensure_partitions(months_ahead integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    parent text;
    partition text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions'));
    FOR step IN 0..months_ahead LOOP
        FOREACH parent IN ARRAY ARRAY['transactions', 'entries'] LOOP
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
COMMENT ON FUNCTION ensure_partitions IS 'Makes the partitions of this month and of those ahead.';

-- For people.

CREATE VIEW wallet_balances AS
    SELECT
        wallet_id,
        asset_code,
        -balance_minor AS posted_minor,
        held_minor,
        -balance_minor - held_minor AS available_minor
    FROM accounts
    WHERE account_type = 'WALLET';
COMMENT ON VIEW wallet_balances IS 'What each wallet holds, seen from the customer.';

CREATE VIEW trial_balance AS
    SELECT account_type, asset_code, sum(balance_minor)::numeric AS amount_minor
    FROM accounts
    GROUP BY account_type, asset_code;
COMMENT ON VIEW trial_balance IS 'The books by account type and asset; each asset sums to zero.';

-- The service's own role: it may add to the books and move balances, nothing else.

DO $$
BEGIN
    CREATE ROLE wallet_service LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- Roles are shared by the databases of a server.
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(integer), transaction_id_at(timestamptz) TO wallet_service;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO wallet_service;
GRANT INSERT ON wallets, accounts, transactions, entries, holds, requests, outbox TO wallet_service;
GRANT UPDATE (display_name, version) ON wallets TO wallet_service;
GRANT UPDATE (balance_minor, held_minor, last_transaction_id) ON accounts TO wallet_service;
GRANT UPDATE (captured_minor, released_minor) ON holds TO wallet_service;
GRANT UPDATE (consumer_id, leased_until) ON feed_lease TO wallet_service;
GRANT DELETE ON outbox TO wallet_service;
GRANT USAGE ON SEQUENCE batch_numbers TO wallet_service;
