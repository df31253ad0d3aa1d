-- What is the Transaction service's own: price books, from their effective time on.

CREATE TABLE price_books (
    version text CONSTRAINT price_books_pkey PRIMARY KEY,
    effective_at timestamptz NOT NULL
        CONSTRAINT price_books_effective_at_key UNIQUE,
    content jsonb NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE price_books IS 'Published versions of all prices. Each holds until the next one does.';

CREATE TABLE requests (
    request_digest bytea CONSTRAINT requests_pkey PRIMARY KEY
        CONSTRAINT requests_request_digest_length CHECK (length(request_digest) = 16),
    body_digest bytea NOT NULL
        CONSTRAINT requests_body_digest_length CHECK (length(body_digest) = 16),
    price_book_version text NOT NULL
        CONSTRAINT requests_price_book_version_fkey REFERENCES price_books,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE requests IS 'Which price book a request id has published.';

-- Guards. They hold for every role, the owner's and the service's alike.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER price_books_append_only BEFORE UPDATE OR DELETE ON price_books
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_books_no_truncate BEFORE TRUNCATE ON price_books
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER requests_append_only BEFORE UPDATE OR DELETE ON requests
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER requests_no_truncate BEFORE TRUNCATE ON requests
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The service's own role: it may add, nothing else.

DO $$
BEGIN
    CREATE ROLE transaction_service LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- Roles are shared by the databases of a server.
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT SELECT, INSERT ON price_books, requests TO transaction_service;
