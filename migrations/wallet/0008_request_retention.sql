-- Request ids are remembered for a time, at least 90 days.

CREATE INDEX requests_recorded_at_idx ON requests USING brin (recorded_at);

CREATE FUNCTION forget_requests(retention interval, max_rows integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
COMMENT ON FUNCTION forget_requests IS 'Deletes at most so many requests older than the retention. '
    'The service''s role may delete no request otherwise.';
REVOKE ALL ON FUNCTION forget_requests(interval, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_requests(interval, integer) TO wallet_service;
