-- Balances as of an effective time, and accounting periods that are closed.

ALTER TABLE entries ADD COLUMN effective_at timestamptz;
COMMENT ON COLUMN entries.effective_at IS 'When it counts, where that is not when it was written: '
    'for nearly all entries it takes no space, and its index none.';
ALTER TABLE entries DISABLE TRIGGER entries_append_only;
UPDATE entries e SET effective_at = t.effective_at
FROM transactions t
WHERE t.transaction_id = e.transaction_id AND t.effective_at <> t.recorded_at;
ALTER TABLE entries ENABLE TRIGGER entries_append_only;
CREATE INDEX entries_effective_at_idx ON entries (account_id, effective_at)
    WHERE effective_at IS NOT NULL;

CREATE TABLE accounting_periods (
    period_id bigint GENERATED ALWAYS AS IDENTITY
        CONSTRAINT accounting_periods_pkey PRIMARY KEY,
    ends_at timestamptz NOT NULL
        CONSTRAINT accounting_periods_ends_at_key UNIQUE,
    closed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT accounting_periods_closed_after_end CHECK (closed_at >= ends_at)
);
COMMENT ON TABLE accounting_periods IS 'Ends of the stretches of effective time whose books are closed.';

CREATE TRIGGER accounting_periods_append_only BEFORE UPDATE OR DELETE ON accounting_periods
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounting_periods_no_truncate BEFORE TRUNCATE ON accounting_periods
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A batch draws its time after it has locked its accounts. To wait until no account is locked, and
-- to let nobody lock one meanwhile, is therefore to know that whatever still comes counts later,
-- or is decided with the period closed. The service's role may not lock a whole table itself.
CREATE FUNCTION lock_postings() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE accounts IN EXCLUSIVE MODE;
END $$;
COMMENT ON FUNCTION lock_postings IS 'Waits for all postings under way and keeps new ones out '
    'until the end of the transaction.';
REVOKE ALL ON FUNCTION lock_postings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_postings() TO wallet_service;

ALTER TABLE requests
    ADD COLUMN period_id bigint,
    DROP CONSTRAINT requests_one_outcome,
    ADD CONSTRAINT requests_one_outcome
        CHECK (num_nonnulls(transaction_id, wallet_id, period_id, refusal) = 1);

GRANT SELECT, INSERT ON accounting_periods TO wallet_service;
