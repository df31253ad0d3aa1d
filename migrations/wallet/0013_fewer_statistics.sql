-- What nothing is looked for by needs no statistics. ANALYZE, which goes over a young month every
-- minute, took 0.8 s for its transactions, and takes 0.2 s without these columns.

ALTER TABLE transactions
    ALTER COLUMN request_id SET STATISTICS 0,
    ALTER COLUMN reference SET STATISTICS 0,
    ALTER COLUMN metadata SET STATISTICS 0,
    ALTER COLUMN price_book_version SET STATISTICS 0,
    ALTER COLUMN charges SET STATISTICS 0,
    ALTER COLUMN event SET STATISTICS 0,
    ALTER COLUMN traceparent SET STATISTICS 0,
    ALTER COLUMN exchange_rate SET STATISTICS 0,
    ALTER COLUMN hash SET STATISTICS 0,
    ALTER COLUMN counted SET STATISTICS 0;

-- A new partition does not take this over from its table, so it is told.
CREATE OR REPLACE FUNCTION ensure_partitions(months_ahead integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
