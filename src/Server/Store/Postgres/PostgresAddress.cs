using System.Data.Common;
using System.Net;
using Npgsql;

namespace Mfa.Server.Store.Postgres;

/// <summary>Where a PostgreSQL database is: a connection string of Npgsql, with what this program relies on set in it.</summary>
internal static class PostgresAddress
{
    public const string Accepted = "an Npgsql connection string, such as Host=db1,db2;Database=mfa;Username=mfa;SSL Mode=VerifyFull";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static bool IsAddress(string text) => TryRead(text) is { Host.Length: > 0 };

    /// <param name="text">The connection string.</param>
    /// <param name="option">Where it was given, for messages.</param>
    /// <param name="patience">How long one statement may take, where the text does not say.</param>
    /// <exception cref="StartRefusedException">It cannot be used; the message never holds the password.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text, string option = "--store", TimeSpan? patience = null)
    {
        if (TryRead(text) is not { Host.Length: > 0 } address) throw new StartRefusedException($"{option}: not understood. Give {Accepted}.");
        if (address.SslMode is not (SslMode.VerifyFull or SslMode.VerifyCA) && !address.Host.Split(',').All(IsHere))
        {
            throw new StartRefusedException($"{option}: SSL Mode={address.SslMode} lets anybody on the way to {address.Host} read and answer. " +
                "Accepted off this machine: VerifyFull, or VerifyCA, with Root Certificate=FILE.");
        }

        if (!Names(text, "Command Timeout") && !Names(text, "CommandTimeout")) address.CommandTimeout = (int)(patience ?? Patience).TotalSeconds;
        if (!Names(text, "Maximum Pool Size") && !Names(text, "MaxPoolSize")) address.MaxPoolSize = 16; // a hundred servers must fit
        if (!Names(text, "Timeout")) address.Timeout = 15; // also the wait for one of the pool
        address.ApplicationName ??= "mfa-server";
        address.Enlist = false;
        address.IncludeErrorDetail = false; // it holds values of rows
        address.PersistSecurityInfo = false;
        // Behind a pooler a connection is another one in every transaction: nothing is kept on it, and nothing needs resetting.
        address.NoResetOnClose = true;
        address.MaxAutoPrepare = 0;
        address.Multiplexing = false;
        address.HostRecheckSeconds = 1;
        address.CancellationTimeout = 2000;
        address.TcpKeepAlive = true;
        return address;
    }

    /// <summary>For messages and the log.</summary>
    public static string Print(NpgsqlConnectionStringBuilder address) => $"PostgreSQL at {address.Host}, database {address.Database ?? address.Username}";

    private static NpgsqlConnectionStringBuilder? TryRead(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            return null;
        }
    }

    private static bool Names(string text, string keyword) => new DbConnectionStringBuilder { ConnectionString = text }.ContainsKey(keyword);

    private static bool IsHere(string host)
    {
        host = host.Trim();
        if (host.StartsWith('/') || host.StartsWith('@') || host == "localhost") return true; // a Unix socket
        var end = host.Count(c => c == ':') == 1 ? host.IndexOf(':', StringComparison.Ordinal) : host.Length;
        return host[..end] == "localhost" || (IPAddress.TryParse(host[..end], out var ip) && IPAddress.IsLoopback(ip));
    }
}
