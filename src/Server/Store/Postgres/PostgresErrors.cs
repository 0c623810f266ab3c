using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>What PostgreSQL says by its codes, and what that means here. Never by its texts: they are translated.</summary>
internal static class PostgresErrors
{
    /// <summary>What a guard divides by when somebody else saved a row first.</summary>
    public const string Guard = PostgresErrorCodes.DivisionByZero;

    /// <summary>Nothing of the transaction was saved, because another one got in its way. The same may go well a moment later.</summary>
    public static bool IsConflict(Exception broken) => broken is PostgresException
    {
        SqlState: Guard or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.UniqueViolation
            or PostgresErrorCodes.CardinalityViolation or PostgresErrorCodes.LockNotAvailable,
    };

    /// <summary>The connection ended in the middle: whether a commit got through is not known.</summary>
    public static bool IsCut(Exception broken) => broken is not PostgresException postgres || IsGoingAway(postgres);

    /// <summary>The connection is not the one that a statement was prepared on: a pooler lends them.</summary>
    public static bool IsNotPrepared(Exception broken) =>
        broken is PostgresException { SqlState: PostgresErrorCodes.InvalidSqlStatementName or PostgresErrorCodes.DuplicatePreparedStatement };

    public static bool IsOfStore(Exception broken) => broken is NpgsqlException or TimeoutException or SocketException or IOException
        || broken is InvalidOperationException { InnerException: NpgsqlException };

    /// <summary>What is wrong and what to do, for an operator. Never the password.</summary>
    public static string Explain(Exception broken) => broken switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword } =>
            "it refuses this user name or password. Check Username, and Password, Passfile or PGPASSWORD.",
        PostgresException { SqlState: PostgresErrorCodes.InvalidAuthorizationSpecification } =>
            "it lets no such user in from here. Check Username and SSL Mode, and its pg_hba.conf.",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => "it has no such database. Check Database, or create it: createdb.",
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } =>
            "this user may not create or use tables there. Make it the owner of the database, or grant it CREATE on the schema public.",
        PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } => "it has no connection free. Raise max_connections, or lower Maximum Pool Size.",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow } => "it is starting up or shutting down. Try again in a moment.",
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } => "it is a standby, or read-only. Name the primary, or all hosts: Host=one,two.",
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => "another program works on its tables: a server, or another copy. Stop it first.",
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => "its disk is full.",
        PostgresException other => $"PostgreSQL error {other.SqlState}.",
        _ => broken.InnerException switch
        {
            AuthenticationException => "its certificate is not trusted. Check Root Certificate and the name in Host.",
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => "there is no such host. Check Host.",
            SocketException => "nobody answers there. Check Host and Port, and whether it runs.",
            TimeoutException => "it does not answer in time. Check Host and Port; while mfa-server store copy makes a file of it, nobody is let in.",
            AggregateException => "none of its hosts answers as a primary. Check Host.",
            null when broken is NpgsqlException and not PostgresException => "it does not offer what the connection asks for. Check SSL Mode and the authentication it is set to.",
            _ => "it does not answer.",
        },
    };

    private static bool IsGoingAway(PostgresException postgres) => postgres.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
        or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.QueryCanceled || postgres.SqlState.StartsWith("08", StringComparison.Ordinal);
}
