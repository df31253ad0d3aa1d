-- The service may read which migrations its database has, as the Wallet may.

GRANT SELECT ON migrations TO transaction_service;
