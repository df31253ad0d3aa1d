-- Wallets form trees: what each knows of itself, how far it may spend, and which stand above it.

ALTER TABLE wallets
    DROP CONSTRAINT wallets_wallet_type_known,
    ADD COLUMN attributes jsonb NOT NULL DEFAULT '{"version": 1}',
    ADD COLUMN policy jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN path bigint[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN wallets.attributes IS 'Of the model of its type, with the version that it was written in.';
COMMENT ON COLUMN wallets.policy IS 'Where its spending comes from, and how far it may go.';
COMMENT ON COLUMN wallets.path IS 'The wallets above it, the topmost first.';

WITH RECURSIVE placed AS (
    SELECT wallet_id, ARRAY[]::bigint[] AS path FROM wallets WHERE parent_wallet_id IS NULL
    UNION ALL
    SELECT w.wallet_id, p.path || p.wallet_id
    FROM wallets w JOIN placed p ON w.parent_wallet_id = p.wallet_id
)
UPDATE wallets w SET path = placed.path
FROM placed WHERE placed.wallet_id = w.wallet_id AND w.parent_wallet_id IS NOT NULL;

UPDATE wallets SET attributes = jsonb_build_object(
    'version', 1,
    'role', (ARRAY['ENTERPRISE', 'MERCHANT', 'APPLICATION', 'CHANNEL'])[least(cardinality(path), 3) + 1]
) WHERE wallet_type = 'ENTERPRISE';

ALTER TABLE wallets
    ADD CONSTRAINT wallets_path_depth CHECK (cardinality(path) <= 15),
    ADD CONSTRAINT wallets_path_ends_at_parent
        CHECK (path[cardinality(path)] IS NOT DISTINCT FROM parent_wallet_id);
CREATE INDEX wallets_path_idx ON wallets USING gin (path);
GRANT UPDATE (attributes, policy, path, parent_wallet_id) ON wallets TO wallet_service;

CREATE TABLE directory_epoch (
    singleton boolean CONSTRAINT directory_epoch_pkey PRIMARY KEY DEFAULT true
        CONSTRAINT directory_epoch_one_row CHECK (singleton),
    epoch bigint NOT NULL
);
INSERT INTO directory_epoch (epoch) VALUES (1);
COMMENT ON TABLE directory_epoch IS 'Grows with every change of a wallet that postings go by.';
GRANT SELECT, UPDATE (epoch) ON directory_epoch TO wallet_service;

-- What a wallet's ancestors have set aside for it keeps it from moving.
CREATE INDEX holds_account_id_idx ON holds (account_id)
    WHERE captured_minor + released_minor < amount_minor;
