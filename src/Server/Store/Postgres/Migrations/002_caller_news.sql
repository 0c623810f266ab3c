-- What each server has counted of its callers' quotas, told about once a second to the other servers and kept for ten minutes.
CREATE TABLE caller_news (
    server    text COLLATE "C" NOT NULL, -- a random name, another one after each start
    number    bigint NOT NULL,
    tell_time bigint NOT NULL,           -- by the database's clock
    news      text NOT NULL,             -- JSON: see Callers/Quotas/CallerNews.cs
    PRIMARY KEY (server, number)
);

CREATE INDEX caller_news_recent ON caller_news (tell_time);
