#!/bin/sh
# Runs once, when the database is new: a user for Grafana, who may read the views of the schema "panels" and nothing else.
# The views are sysmon's, which makes them with its tables.
set -eu
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set reader_password="$READER_PASSWORD" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE SCHEMA panels;
CREATE ROLE sysmon_reader LOGIN PASSWORD :'reader_password' CONNECTION LIMIT 20;
ALTER ROLE sysmon_reader SET default_transaction_read_only = on;
ALTER ROLE sysmon_reader SET statement_timeout = '30s';
GRANT USAGE ON SCHEMA panels TO sysmon_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA panels GRANT SELECT ON TABLES TO sysmon_reader;
SQL
