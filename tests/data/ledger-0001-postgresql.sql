-- The ledger as versions before 0002 made it, in PostgreSQL.
CREATE TABLE feedback (
	id SERIAL NOT NULL,
	received TIMESTAMP WITH TIME ZONE NOT NULL,
	issuer VARCHAR(256) NOT NULL,
	service VARCHAR(64) NOT NULL,
	card VARCHAR(256) NOT NULL,
	outcome VARCHAR(16) NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	accepted TEXT NOT NULL,
	reason_code VARCHAR(256),
	reason_system VARCHAR(256),
	comment TEXT,
	PRIMARY KEY (id)
);
CREATE INDEX feedback_of_card ON feedback (issuer, service, card);
CREATE TABLE site_keys (
	name VARCHAR(64) NOT NULL,
	value BYTEA NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE seen_tokens (
	issuer VARCHAR(256) NOT NULL,
	jti VARCHAR(256) NOT NULL,
	expires BIGINT NOT NULL,
	PRIMARY KEY (issuer, jti)
);
CREATE INDEX ix_seen_tokens_expires ON seen_tokens (expires);
