using System.CommandLine;
using System.Security.Cryptography;
using Mfa.Server;
using Mfa.Server.Commands;
using Mfa.Server.Store;
using Mfa.Server.Store.Postgres;

Hardening.ForbidDumps();

var root = new RootCommand("MfaGrpc: a second factor for your accounts, over gRPC.")
{
    InitCommand.Create(),
    KeysCommand.Create(),
    CertificatesCommand.Create(),
    UsersCommand.Create(),
    DoctorCommand.Create(),
    SecretsCommand.Create(),
    AuditCommand.Create(),
    BackupCommand.Create(),
    RestoreCommand.Create(),
    ClockCommand.Create(),
    ImportCommand.Create(),
    ExportCommand.Create(),
    StoreCommand.Create(),
};
ServeCommand.AddTo(root);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync($"mfa-server: {error.Message}");
    await Console.Error.WriteLineAsync("Try: mfa-server --help");
    return ExitCodes.Usage;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null, // the host ends on signals by itself, after the calls it has accepted
    });
}
catch (StartRefusedException refused)
{
    await Console.Error.WriteLineAsync($"mfa-server: {refused.Message}");
    return ExitCodes.Failed;
}
catch (CryptographicException unreadable)
{
    await Console.Error.WriteLineAsync($"mfa-server: something in the database does not open, it was altered or is of another key ring. {unreadable.Message}");
    return ExitCodes.Failed;
}
catch (StoreUnavailableException unavailable)
{
    await Console.Error.WriteLineAsync($"mfa-server: the database: {Explain(unavailable)}");
    return ExitCodes.Failed;
}

static string Explain(StoreUnavailableException unavailable) => unavailable.InnerException is Microsoft.Data.Sqlite.SqliteException
    ? Database.Explain(unavailable)
    : PostgresErrors.Explain(unavailable.InnerException!);
