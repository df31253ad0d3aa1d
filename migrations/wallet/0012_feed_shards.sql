-- The feed is shared: many publishers, each with shards of the wallets. A process that still asks
-- for the one lease fails, which holds events back for as long as it takes to replace it.

DROP TABLE feed_lease;

CREATE TABLE feed_consumers (
    consumer_id text CONSTRAINT feed_consumers_pkey PRIMARY KEY,
    leased_until timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE feed_consumers IS 'Who reads the feed; whoever finds a lease that ran out takes the row away.';
GRANT SELECT, INSERT, DELETE, UPDATE (leased_until) ON feed_consumers TO wallet_service;

CREATE TABLE feed_shards (
    shard smallint CONSTRAINT feed_shards_pkey PRIMARY KEY
        CONSTRAINT feed_shards_shard_known CHECK (shard BETWEEN 0 AND 63),
    consumer_id text
        CONSTRAINT feed_shards_consumer_id_fkey REFERENCES feed_consumers ON DELETE SET NULL
) WITH (fillfactor = 50);
INSERT INTO feed_shards (shard) SELECT generate_series(0, 63);
COMMENT ON TABLE feed_shards IS 'Which consumer publishes the events of which wallets: those whose id leaves '
    'that remainder. NULL: nobody does.';
GRANT SELECT, UPDATE (consumer_id) ON feed_shards TO wallet_service;
