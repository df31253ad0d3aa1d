-- The Wallet's schema after all migrations. Made by `make schema`; do not edit.


CREATE FUNCTION public.ensure_partitions(months_ahead integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    parent text;
    partition text;
    payload text;
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
                FOR payload IN
                    SELECT attname FROM pg_attribute
                    WHERE attrelid = parent::regclass AND attstattarget = 0
                LOOP
                    EXECUTE format(
                        'ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 0', partition, payload
                    );
                END LOOP;
            END IF;
        END LOOP;
        month := month + interval '1 month';
    END LOOP;
END $$;

COMMENT ON FUNCTION public.ensure_partitions(months_ahead integer) IS 'Makes the partitions of this month and of those ahead.';

CREATE FUNCTION public.forget_requests(retention interval, max_rows integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    forgotten bigint;
BEGIN
    IF retention < interval '90 days' THEN
        RAISE EXCEPTION 'request ids are remembered for at least 90 days, not %', retention
            USING ERRCODE = 'check_violation', CONSTRAINT = 'requests_retention';
    END IF;
    DELETE FROM requests WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM requests WHERE recorded_at < now() - retention LIMIT max_rows
    ));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;

COMMENT ON FUNCTION public.forget_requests(retention interval, max_rows integer) IS 'Deletes at most so many requests older than the retention. The service''s role may delete no request otherwise.';

CREATE FUNCTION public.lock_postings() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    LOCK TABLE accounts IN EXCLUSIVE MODE;
END $$;

COMMENT ON FUNCTION public.lock_postings() IS 'Waits for all postings under way and keeps new ones out until the end of the transaction.';

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION public.refuse_unbalanced() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.transaction_id_at(moment timestamp with time zone) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((floor((EXTRACT(epoch FROM moment) * (1000)::numeric)))::bigint - '1704067200000'::bigint) << 22);

CREATE TABLE public.accounting_periods (
    period_id bigint NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT accounting_periods_closed_after_end CHECK ((closed_at >= ends_at))
);

COMMENT ON TABLE public.accounting_periods IS 'Ends of the stretches of effective time whose books are closed.';

ALTER TABLE public.accounting_periods ALTER COLUMN period_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.accounting_periods_period_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.accounts (
    account_id bigint NOT NULL,
    wallet_id bigint NOT NULL,
    account_type text NOT NULL,
    asset_code text NOT NULL,
    stripe smallint NOT NULL,
    balance_minor bigint DEFAULT 0 NOT NULL,
    held_minor bigint DEFAULT 0 NOT NULL,
    last_transaction_id bigint DEFAULT 0 NOT NULL,
    credit_limit_minor bigint DEFAULT 0 NOT NULL,
    open_lots integer DEFAULT 0 NOT NULL,
    wallet_state text DEFAULT 'ACTIVE'::text NOT NULL,
    CONSTRAINT accounts_account_type_known CHECK ((account_type = ANY (ARRAY['WALLET'::text, 'FUNDING'::text, 'REVENUE'::text, 'VENDOR_COST'::text, 'VENDOR_PAYABLE'::text, 'BREAKAGE'::text, 'EXCHANGE'::text, 'TAX_PAYABLE'::text]))),
    CONSTRAINT accounts_available_not_negative CHECK (((account_type <> 'WALLET'::text) OR ((balance_minor + held_minor) <= credit_limit_minor))),
    CONSTRAINT accounts_balance_minor_limit CHECK (((balance_minor >= '-1000000000000000000'::bigint) AND (balance_minor <= '1000000000000000000'::bigint))),
    CONSTRAINT accounts_credit_limit_minor_range CHECK (((credit_limit_minor >= 0) AND (credit_limit_minor <= '1000000000000000000'::bigint))),
    CONSTRAINT accounts_held_minor_not_negative CHECK ((held_minor >= 0)),
    CONSTRAINT accounts_open_lots_range CHECK (((open_lots >= 0) AND (open_lots <= 1000))),
    CONSTRAINT accounts_owner_known CHECK (((wallet_id > 0) = (account_type = 'WALLET'::text))),
    CONSTRAINT accounts_wallet_state_known CHECK ((wallet_state = ANY (ARRAY['ACTIVE'::text, 'FROZEN'::text, 'CLOSED'::text])))
)
WITH (fillfactor='50');

COMMENT ON TABLE public.accounts IS 'One row for each wallet and asset, and one for each house account, asset and stripe. The house is wallet 0; its stripes keep writers apart, and their sum is the balance.';

COMMENT ON COLUMN public.accounts.open_lots IS 'How many of its lots still hold something: 0 saves a look.';

COMMENT ON COLUMN public.accounts.wallet_state IS 'The state of its wallet, written with it.';

ALTER TABLE public.accounts ALTER COLUMN account_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.accounts_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.assets (
    asset_code text NOT NULL,
    kind text NOT NULL,
    scale smallint NOT NULL,
    CONSTRAINT assets_asset_code_form CHECK ((asset_code ~ '^[A-Z][A-Z0-9_]{1,15}$'::text)),
    CONSTRAINT assets_kind_known CHECK ((kind = ANY (ARRAY['CURRENCY'::text, 'QUOTA'::text]))),
    CONSTRAINT assets_scale_range CHECK (((scale >= 0) AND (scale <= 8)))
);

COMMENT ON TABLE public.assets IS 'Currencies (ISO 4217 scale) and quota units that amounts may be in.';

CREATE SEQUENCE public.batch_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.chains (
    chain smallint NOT NULL,
    last_transaction_id bigint DEFAULT 0 NOT NULL,
    hash bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    CONSTRAINT chains_hash_length CHECK ((octet_length(hash) = 32))
)
WITH (fillfactor='10');

COMMENT ON TABLE public.chains IS 'The last link of each hash chain. One that was never used is at zero.';

CREATE TABLE public.directory_epoch (
    singleton boolean DEFAULT true NOT NULL,
    epoch bigint NOT NULL,
    CONSTRAINT directory_epoch_one_row CHECK (singleton)
);

COMMENT ON TABLE public.directory_epoch IS 'Grows with every change of a wallet that postings go by.';

CREATE TABLE public.entries (
    transaction_id bigint NOT NULL,
    leg_index smallint NOT NULL,
    account_id bigint NOT NULL,
    asset_code text NOT NULL,
    amount_minor bigint NOT NULL,
    held_change_minor bigint NOT NULL,
    balance_after_minor bigint NOT NULL,
    held_after_minor bigint NOT NULL,
    credit_limit_minor bigint DEFAULT 0 NOT NULL,
    effective_at timestamp with time zone
)
PARTITION BY RANGE (transaction_id);

COMMENT ON TABLE public.entries IS 'The signed legs of transactions; append-only. Every balance is their sum.';

COMMENT ON COLUMN public.entries.credit_limit_minor IS 'As it stood: available is told again as it was.';

COMMENT ON COLUMN public.entries.effective_at IS 'When it counts, where that is not when it was written: for nearly all entries it takes no space, and its index none.';

CREATE TABLE public.feed_consumers (
    consumer_id text NOT NULL,
    leased_until timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.feed_consumers IS 'Who reads the feed; whoever finds a lease that ran out takes the row away.';

CREATE TABLE public.feed_shards (
    shard smallint NOT NULL,
    consumer_id text,
    CONSTRAINT feed_shards_shard_known CHECK (((shard >= 0) AND (shard <= 63)))
)
WITH (fillfactor='50');

COMMENT ON TABLE public.feed_shards IS 'Which consumer publishes the events of which wallets: those whose id leaves that remainder. NULL: nobody does.';

CREATE TABLE public.holds (
    booking_id bigint NOT NULL,
    account_id bigint NOT NULL,
    amount_minor bigint NOT NULL,
    captured_minor bigint DEFAULT 0 NOT NULL,
    released_minor bigint DEFAULT 0 NOT NULL,
    expires_at timestamp with time zone,
    expired boolean DEFAULT false NOT NULL,
    part_index smallint NOT NULL,
    wallet_id bigint NOT NULL,
    captured_quantity bigint DEFAULT 0 NOT NULL,
    CONSTRAINT holds_amount_minor_positive CHECK ((amount_minor > 0)),
    CONSTRAINT holds_captured_minor_not_negative CHECK ((captured_minor >= 0)),
    CONSTRAINT holds_captured_quantity_not_negative CHECK ((captured_quantity >= 0)),
    CONSTRAINT holds_released_minor_not_negative CHECK ((released_minor >= 0)),
    CONSTRAINT holds_taken_within_amount CHECK (((captured_minor + released_minor) <= amount_minor))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.holds IS 'Money set aside by a booking, on each account that pays for it in the order in which it is taken, and how much of it was taken or set free.';

COMMENT ON COLUMN public.holds.wallet_id IS 'The wallet that booked; others may pay.';

COMMENT ON COLUMN public.holds.captured_quantity IS 'Units that were taken of the booking as a whole.';

CREATE TABLE public.lot_entries (
    transaction_id bigint NOT NULL,
    leg_index smallint NOT NULL,
    draw_index smallint NOT NULL,
    lot_transaction_id bigint NOT NULL,
    lot_index smallint NOT NULL,
    amount_minor bigint NOT NULL,
    held_change_minor bigint NOT NULL,
    CONSTRAINT lot_entries_moves_something CHECK (((amount_minor <> 0) OR (held_change_minor <> 0)))
)
PARTITION BY RANGE (transaction_id);

COMMENT ON TABLE public.lot_entries IS 'How much of an entry was on which lot, in the order drawn; append-only.';

CREATE TABLE public.lots (
    transaction_id bigint NOT NULL,
    lot_index smallint NOT NULL,
    account_id bigint NOT NULL,
    kind text NOT NULL,
    priority smallint NOT NULL,
    expires_at timestamp with time zone,
    amount_minor bigint NOT NULL,
    remaining_minor bigint NOT NULL,
    held_minor bigint DEFAULT 0 NOT NULL,
    last_transaction_id bigint NOT NULL,
    CONSTRAINT lots_amount_minor_positive CHECK ((amount_minor > 0)),
    CONSTRAINT lots_kind_known CHECK ((kind = ANY (ARRAY['PAID'::text, 'BONUS'::text, 'PACKAGE'::text, 'ADD_ON'::text]))),
    CONSTRAINT lots_priority_range CHECK (((priority >= 1) AND (priority <= 1000))),
    CONSTRAINT lots_remaining_minor_range CHECK (((0 <= held_minor) AND (held_minor <= remaining_minor) AND (remaining_minor <= amount_minor)))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.lots IS 'Parts of balances, named by the transaction that added them and a number, and what is left of them.';

CREATE TABLE public.migrations (
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.outbox (
    transaction_id bigint NOT NULL,
    wallet_id bigint NOT NULL
);

COMMENT ON TABLE public.outbox IS 'Transactions whose event is not yet published.';

CREATE TABLE public.requests (
    request_digest bytea NOT NULL,
    body_digest bytea NOT NULL,
    transaction_id bigint,
    wallet_id bigint,
    refusal jsonb,
    recorded_at timestamp with time zone NOT NULL,
    period_id bigint,
    CONSTRAINT requests_one_outcome CHECK ((num_nonnulls(transaction_id, wallet_id, period_id, refusal) = 1))
);

COMMENT ON TABLE public.requests IS 'The one outcome of each request id. Keys are 16-byte BLAKE2b digests, which keep the index small and unique over all months.';

CREATE TABLE public.spending_windows (
    wallet_id bigint NOT NULL,
    asset_code text NOT NULL,
    product_code text NOT NULL,
    period text NOT NULL,
    starts_on date NOT NULL,
    spent_minor bigint DEFAULT 0 NOT NULL,
    CONSTRAINT spending_windows_period_known CHECK ((period = ANY (ARRAY['DAY'::text, 'WEEK'::text, 'MONTH'::text]))),
    CONSTRAINT spending_windows_spent_minor_not_negative CHECK ((spent_minor >= 0))
)
WITH (fillfactor='50');

COMMENT ON TABLE public.spending_windows IS 'What was spent in a stretch of time of a limit, by a wallet and all below it. An empty product stands for every one.';

CREATE TABLE public.transactions (
    transaction_id bigint NOT NULL,
    kind text NOT NULL,
    wallet_id bigint NOT NULL,
    booking_id bigint,
    request_id text NOT NULL,
    reference text NOT NULL,
    metadata jsonb NOT NULL,
    price_book_version text NOT NULL,
    charges jsonb NOT NULL,
    event bytea,
    traceparent text NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    voids_transaction_id bigint,
    exchange_rate jsonb,
    chain smallint,
    hash bytea,
    spent_minor bigint,
    counted jsonb,
    paid_by_others boolean DEFAULT false NOT NULL,
    CONSTRAINT transactions_chained CHECK (((chain IS NULL) = (hash IS NULL))),
    CONSTRAINT transactions_exchange_has_rate CHECK (((kind = 'EXCHANGE'::text) = (exchange_rate IS NOT NULL))),
    CONSTRAINT transactions_hash_length CHECK ((octet_length(hash) = 32)),
    CONSTRAINT transactions_kind_known CHECK ((kind = ANY (ARRAY['TOP_UP'::text, 'BOOKING'::text, 'COMMIT'::text, 'CANCELLATION'::text, 'USAGE'::text, 'TRANSFER'::text, 'VOID'::text, 'EXPIRATION'::text, 'BREAKAGE'::text, 'EXCHANGE'::text, 'ASSIGNMENT'::text, 'UNASSIGNMENT'::text, 'EXTENSION'::text]))),
    CONSTRAINT transactions_transaction_id_positive CHECK ((transaction_id > 0)),
    CONSTRAINT transactions_voids_something CHECK (((kind = 'VOID'::text) = (voids_transaction_id IS NOT NULL)))
)
PARTITION BY RANGE (transaction_id);
ALTER TABLE ONLY public.transactions ALTER COLUMN request_id SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN reference SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN metadata SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN price_book_version SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN charges SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN event SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN traceparent SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN exchange_rate SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN hash SET STATISTICS 0;
ALTER TABLE ONLY public.transactions ALTER COLUMN counted SET STATISTICS 0;

COMMENT ON TABLE public.transactions IS 'What was asked and accepted, with the event it gave rise to; append-only.';

COMMENT ON COLUMN public.transactions.hash IS 'SHA-256 of the hash before it in its chain and of its content; NULL where it was written before there were chains.';

COMMENT ON COLUMN public.transactions.spent_minor IS 'What it spent or, below zero, gave back of that; NULL where it did neither.';

COMMENT ON COLUMN public.transactions.counted IS 'The windows that it counts in: wallet, asset, product, period and first day of each; NULL where there is none.';

COMMENT ON COLUMN public.transactions.paid_by_others IS 'Whether it has no entry on its own wallet, by which it would be found.';

CREATE VIEW public.trial_balance AS
 SELECT account_type,
    asset_code,
    sum(balance_minor) AS amount_minor
   FROM public.accounts
  GROUP BY account_type, asset_code;

COMMENT ON VIEW public.trial_balance IS 'The books by account type and asset; each asset sums to zero.';

CREATE TABLE public.voids (
    transaction_id bigint NOT NULL,
    amount_minor bigint NOT NULL,
    voided_minor bigint NOT NULL,
    CONSTRAINT voids_voided_minor_positive CHECK ((voided_minor > 0)),
    CONSTRAINT voids_voided_within_amount CHECK ((voided_minor <= amount_minor))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.voids IS 'How much of a transaction was taken back, of what it moved on its wallet.';

CREATE VIEW public.wallet_balances AS
 SELECT wallet_id,
    asset_code,
    (- balance_minor) AS posted_minor,
    held_minor,
    ((credit_limit_minor - balance_minor) - held_minor) AS available_minor,
    credit_limit_minor
   FROM public.accounts
  WHERE (account_type = 'WALLET'::text);

COMMENT ON VIEW public.wallet_balances IS 'What each wallet holds, seen from the customer.';

CREATE TABLE public.wallets (
    wallet_id bigint NOT NULL,
    wallet_type text NOT NULL,
    display_name text NOT NULL,
    parent_wallet_id bigint,
    state text DEFAULT 'ACTIVE'::text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    attributes jsonb DEFAULT '{"version": 1}'::jsonb NOT NULL,
    policy jsonb DEFAULT '{}'::jsonb NOT NULL,
    path bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    CONSTRAINT wallets_path_depth CHECK ((cardinality(path) <= 15)),
    CONSTRAINT wallets_path_ends_at_parent CHECK ((NOT (path[cardinality(path)] IS DISTINCT FROM parent_wallet_id))),
    CONSTRAINT wallets_state_known CHECK ((state = ANY (ARRAY['ACTIVE'::text, 'FROZEN'::text, 'CLOSED'::text])))
);

COMMENT ON TABLE public.wallets IS 'Customers'' holdings.';

COMMENT ON COLUMN public.wallets.attributes IS 'Of the model of its type, with the version that it was written in.';

COMMENT ON COLUMN public.wallets.policy IS 'Where its spending comes from, and how far it may go.';

COMMENT ON COLUMN public.wallets.path IS 'The wallets above it, the topmost first.';

ALTER TABLE public.wallets ALTER COLUMN wallet_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.wallets_wallet_id_seq
    START WITH 1001
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.accounting_periods
    ADD CONSTRAINT accounting_periods_ends_at_key UNIQUE (ends_at);

ALTER TABLE ONLY public.accounting_periods
    ADD CONSTRAINT accounting_periods_pkey PRIMARY KEY (period_id);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_key UNIQUE (wallet_id, account_type, asset_code, stripe);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY public.assets
    ADD CONSTRAINT assets_pkey PRIMARY KEY (asset_code);

ALTER TABLE ONLY public.chains
    ADD CONSTRAINT chains_pkey PRIMARY KEY (chain);

ALTER TABLE ONLY public.directory_epoch
    ADD CONSTRAINT directory_epoch_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (transaction_id, leg_index);

ALTER TABLE ONLY public.feed_consumers
    ADD CONSTRAINT feed_consumers_pkey PRIMARY KEY (consumer_id);

ALTER TABLE ONLY public.feed_shards
    ADD CONSTRAINT feed_shards_pkey PRIMARY KEY (shard);

ALTER TABLE ONLY public.holds
    ADD CONSTRAINT holds_pkey PRIMARY KEY (booking_id, part_index);

ALTER TABLE ONLY public.lot_entries
    ADD CONSTRAINT lot_entries_pkey PRIMARY KEY (transaction_id, leg_index, draw_index);

ALTER TABLE ONLY public.lots
    ADD CONSTRAINT lots_pkey PRIMARY KEY (transaction_id, lot_index);

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (transaction_id);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (request_digest);

ALTER TABLE ONLY public.spending_windows
    ADD CONSTRAINT spending_windows_pkey PRIMARY KEY (wallet_id, asset_code, product_code, period, starts_on);

ALTER TABLE ONLY public.transactions
    ADD CONSTRAINT transactions_pkey PRIMARY KEY (transaction_id);

ALTER TABLE ONLY public.voids
    ADD CONSTRAINT voids_pkey PRIMARY KEY (transaction_id);

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_pkey PRIMARY KEY (wallet_id);

CREATE INDEX entries_account_id_idx ON ONLY public.entries USING btree (account_id, transaction_id);

CREATE INDEX entries_effective_at_idx ON ONLY public.entries USING btree (account_id, effective_at) WHERE (effective_at IS NOT NULL);

CREATE INDEX holds_account_id_idx ON public.holds USING btree (account_id) WHERE ((captured_minor + released_minor) < amount_minor);

CREATE INDEX holds_expires_at_idx ON public.holds USING btree (expires_at) WHERE (((captured_minor + released_minor) < amount_minor) AND (expires_at IS NOT NULL));

CREATE INDEX lots_account_id_idx ON public.lots USING btree (account_id) WHERE (remaining_minor > 0);

CREATE INDEX lots_expires_at_idx ON public.lots USING btree (expires_at) WHERE ((remaining_minor > held_minor) AND (expires_at IS NOT NULL));

CREATE INDEX requests_recorded_at_idx ON public.requests USING brin (recorded_at);

CREATE INDEX transactions_booking_id_idx ON ONLY public.transactions USING btree (booking_id, transaction_id) WHERE (booking_id IS NOT NULL);

CREATE INDEX transactions_paid_by_others_idx ON ONLY public.transactions USING btree (wallet_id, transaction_id) WHERE paid_by_others;

CREATE INDEX wallets_parent_wallet_id_idx ON public.wallets USING btree (parent_wallet_id, wallet_id);

CREATE INDEX wallets_path_idx ON public.wallets USING gin (path);

CREATE TRIGGER accounting_periods_append_only BEFORE DELETE OR UPDATE ON public.accounting_periods FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER accounting_periods_no_truncate BEFORE TRUNCATE ON public.accounting_periods FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER entries_append_only BEFORE DELETE OR UPDATE ON public.entries FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER entries_balanced AFTER INSERT ON public.entries REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_unbalanced();

CREATE TRIGGER entries_no_truncate BEFORE TRUNCATE ON public.entries FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER lot_entries_append_only BEFORE DELETE OR UPDATE ON public.lot_entries FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER lot_entries_no_truncate BEFORE TRUNCATE ON public.lot_entries FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER transactions_append_only BEFORE DELETE OR UPDATE ON public.transactions FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER transactions_no_truncate BEFORE TRUNCATE ON public.transactions FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_asset_code_fkey FOREIGN KEY (asset_code) REFERENCES public.assets(asset_code);

ALTER TABLE ONLY public.feed_shards
    ADD CONSTRAINT feed_shards_consumer_id_fkey FOREIGN KEY (consumer_id) REFERENCES public.feed_consumers(consumer_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.wallets
    ADD CONSTRAINT wallets_parent_wallet_id_fkey FOREIGN KEY (parent_wallet_id) REFERENCES public.wallets(wallet_id);

REVOKE ALL ON FUNCTION public.ensure_partitions(months_ahead integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.ensure_partitions(months_ahead integer) TO wallet_service;

REVOKE ALL ON FUNCTION public.forget_requests(retention interval, max_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.forget_requests(retention interval, max_rows integer) TO wallet_service;

REVOKE ALL ON FUNCTION public.lock_postings() FROM PUBLIC;
GRANT ALL ON FUNCTION public.lock_postings() TO wallet_service;

REVOKE ALL ON FUNCTION public.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_unbalanced() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.transaction_id_at(moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.transaction_id_at(moment timestamp with time zone) TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.accounting_periods TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.accounts TO wallet_service;

GRANT UPDATE(balance_minor) ON TABLE public.accounts TO wallet_service;

GRANT UPDATE(held_minor) ON TABLE public.accounts TO wallet_service;

GRANT UPDATE(last_transaction_id) ON TABLE public.accounts TO wallet_service;

GRANT UPDATE(credit_limit_minor) ON TABLE public.accounts TO wallet_service;

GRANT UPDATE(open_lots) ON TABLE public.accounts TO wallet_service;

GRANT UPDATE(wallet_state) ON TABLE public.accounts TO wallet_service;

GRANT SELECT ON TABLE public.assets TO wallet_service;

GRANT USAGE ON SEQUENCE public.batch_numbers TO wallet_service;

GRANT SELECT ON TABLE public.chains TO wallet_service;

GRANT UPDATE(last_transaction_id) ON TABLE public.chains TO wallet_service;

GRANT UPDATE(hash) ON TABLE public.chains TO wallet_service;

GRANT SELECT ON TABLE public.directory_epoch TO wallet_service;

GRANT UPDATE(epoch) ON TABLE public.directory_epoch TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.entries TO wallet_service;

GRANT SELECT,INSERT,DELETE ON TABLE public.feed_consumers TO wallet_service;

GRANT UPDATE(leased_until) ON TABLE public.feed_consumers TO wallet_service;

GRANT SELECT ON TABLE public.feed_shards TO wallet_service;

GRANT UPDATE(consumer_id) ON TABLE public.feed_shards TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.holds TO wallet_service;

GRANT UPDATE(captured_minor) ON TABLE public.holds TO wallet_service;

GRANT UPDATE(released_minor) ON TABLE public.holds TO wallet_service;

GRANT UPDATE(expired) ON TABLE public.holds TO wallet_service;

GRANT UPDATE(captured_quantity) ON TABLE public.holds TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.lot_entries TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.lots TO wallet_service;

GRANT UPDATE(remaining_minor) ON TABLE public.lots TO wallet_service;

GRANT UPDATE(held_minor) ON TABLE public.lots TO wallet_service;

GRANT UPDATE(last_transaction_id) ON TABLE public.lots TO wallet_service;

GRANT SELECT ON TABLE public.migrations TO wallet_service;

GRANT SELECT,INSERT,DELETE ON TABLE public.outbox TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.requests TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.spending_windows TO wallet_service;

GRANT UPDATE(spent_minor) ON TABLE public.spending_windows TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.transactions TO wallet_service;

GRANT SELECT ON TABLE public.trial_balance TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.voids TO wallet_service;

GRANT UPDATE(voided_minor) ON TABLE public.voids TO wallet_service;

GRANT SELECT ON TABLE public.wallet_balances TO wallet_service;

GRANT SELECT,INSERT ON TABLE public.wallets TO wallet_service;

GRANT UPDATE(display_name) ON TABLE public.wallets TO wallet_service;

GRANT UPDATE(parent_wallet_id) ON TABLE public.wallets TO wallet_service;

GRANT UPDATE(state) ON TABLE public.wallets TO wallet_service;

GRANT UPDATE(version) ON TABLE public.wallets TO wallet_service;

GRANT UPDATE(attributes) ON TABLE public.wallets TO wallet_service;

GRANT UPDATE(policy) ON TABLE public.wallets TO wallet_service;

GRANT UPDATE(path) ON TABLE public.wallets TO wallet_service;

