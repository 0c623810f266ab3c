using System.CommandLine;
using Mfa.Server.Backups;
using Mfa.Server.Domain;
using Mfa.Server.Transfer;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server export`: the factors of a tenant, open, for another program. Works beside a running server.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> Target = new("FILE") { Description = "The file to make. Must not exist yet." };

    private static readonly Option<string> Format = new("--format")
    {
        Description = "jsonl: all that another mfa-server needs. otpauth: key URIs, which every program reads.",
        DefaultValueFactory = _ => "jsonl",
    };

    private static readonly Option<bool> Secrets = new("--include-secrets")
    {
        Description = "Say so, because there is no export without: whoever reads the file can compute everybody's codes.",
    };

    private static readonly Option<string?> Issuer = new("--issuer") { Description = "What apps show beside the account, for otpauth. Default: the setting enrollment:issuer." };

    static ExportCommand()
    {
        Format.AcceptOnlyFromAmong(Exporter.Formats);
        Issuer.Accept(text => text is null || KeyUri.IsLabel(text), KeyUri.AcceptedLabel);
    }

    public static Command Create()
    {
        var export = new Command("export", "Write the second factors of a tenant into a file, with their secrets.")
        {
            Target, Format, CallerOptions.Tenant, Secrets, Issuer, SharedOptions.Data,
        };
        export.SetAction(RunAsync);
        return export;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        if (!parsed.GetValue(Secrets))
            throw new StartRefusedException("The file will hold every shared secret, open. If that is what you want, add --include-secrets.");
        var (file, folder) = (Path.GetFullPath(parsed.GetValue(Target)!), parsed.GetValue(SharedOptions.Data)!);
        if (!File.Exists(FolderSwitch.LivePath(folder))) throw new StartRefusedException($"{folder}: there is no database to export from. Check --data.");
        if (Path.Exists(file)) throw new StartRefusedException($"{file}: exists already. It is not written over.");
        var (format, tenant) = (parsed.GetValue(Format)!, parsed.GetValue(CallerOptions.Tenant)!);
        var issuer = parsed.GetValue(Issuer) ?? SettingSources.Read(new Settings(), Environment.CurrentDirectory, []).Enrollment.Issuer;

        using var data = await SharedOptions.OpenAsync(parsed);
        var exporter = new Exporter(data.Store, data.Ring, data.Store.Clock);
        var exported = await WriteAsync(file, async stream =>
        {
            await exporter.TellAsync(tenant, format);
            var progress = new Progress("export");
            return exporter.Write(stream, format, tenant, issuer, done => progress.Report(done, "accounts"), ct);
        });

        await Console.Error.WriteLineAsync($"Exported {exported.Accounts} accounts of {tenant}. Whoever reads {file} can compute their codes: carry it safely and remove it soon.");
        if (exported.LeftOut > 0) await Console.Error.WriteLineAsync($"{exported.LeftOut} accounts have their codes sent, which otpauth has no form for: they are not in it.");
        return ExitCodes.Done;
    }

    /// <summary>The file has its name only once it is whole and on disk; what a broken-off export leaves is removed.</summary>
    private static async Task<T> WriteAsync<T>(string file, Func<Stream, Task<T>> write)
    {
        var partial = $"{file}.partial";
        try
        {
            T result;
            await using (var stream = new FileStream(partial, new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                try
                {
                    result = await write(stream);
                    stream.Flush(flushToDisk: true);
                }
                catch
                {
                    File.Delete(partial);
                    throw;
                }
            }

            Durable.Move(partial, file);
            return result;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"{file}: cannot be made, or {partial} is there from another export. Check the folder, and remove what is left.");
        }
    }
}
