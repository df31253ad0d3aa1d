-- What a batch needs to know of a wallet stands beside its balance, under the same lock.

ALTER TABLE accounts
    ADD COLUMN wallet_state text NOT NULL DEFAULT 'ACTIVE'
        CONSTRAINT accounts_wallet_state_known
        CHECK (wallet_state IN ('ACTIVE', 'FROZEN', 'CLOSED'));
COMMENT ON COLUMN accounts.wallet_state IS 'The state of its wallet, written with it.';
UPDATE accounts a SET wallet_state = w.state
FROM wallets w WHERE w.wallet_id = a.wallet_id AND w.state <> 'ACTIVE';
GRANT UPDATE (wallet_state) ON accounts TO wallet_service;

-- Every transaction has an entry on its wallet, so the index on entries finds it.
DROP INDEX transactions_wallet_id_idx;
