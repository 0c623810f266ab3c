using System.CommandLine;
using Mfa.Server.Transport;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server init`: sets the data folder up before the first start, on request with a certificate for development.</summary>
internal static class InitCommand
{
    private static readonly Option<bool> Tls = new("--tls")
    {
        Description = "Also make a self-signed certificate for development, in DIR/tls.",
    };

    private static readonly Option<string[]> Host = new("--host")
    {
        Description = "A further name or address of the server for the certificate, besides localhost. Can be given several times.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> Empty = new("--empty")
    {
        Description = "Begin with a new, empty database although the key ring had one: every account is without a second factor then.",
    };

    static InitCommand() => Host.Accept(
        hosts => hosts.All(host => Uri.CheckHostName(host) != UriHostNameType.Unknown), "give names such as mfa.example.org, or IP addresses");

    public static Command Create()
    {
        var init = new Command("init", "Create the data folder and its key ring, and print what to do next.") { SharedOptions.Data, SharedOptions.Store, Tls, Host, Empty };
        init.SetAction((parsed, _) => RunAsync(parsed));
        return init;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        var hosts = parsed.GetValue(Host)!;
        var tls = parsed.GetValue(Tls);
        if (hosts.Length > 0 && !tls) throw new StartRefusedException("--host: names belong to a certificate. Add --tls.");

        using var data = await DataFolder.OpenAsync(parsed.GetValue(SharedOptions.Data)!, TimeProvider.System, store: SharedOptions.StoreOf(parsed), beginEmpty: parsed.GetValue(Empty));
        if (tls) DevelopmentCertificate.Create(data.Path, hosts, TimeProvider.System.GetUtcNow());
        await Console.Error.WriteLineAsync($"Ready to serve: {data.Path}. Keep a copy of keys.json apart from the database: without it no enrollment opens.");
        if (!tls)
        {
            await Console.Out.WriteLineAsync($"mfa-server serve --data {data.Path}");
            return ExitCodes.Done;
        }

        var (certificate, _) = DevelopmentCertificate.FilesIn(data.Path);
        // The certificate's further names are for callers elsewhere; without any, nobody else needs to reach the server.
        var (listen, name) = hosts.Length == 0 ? ("127.0.0.1", "localhost") : ("*", hosts[0].Contains(':') ? $"[{hosts[0]}]" : hosts[0]);
        await Console.Out.WriteLineAsync($"mfa-server serve --data {data.Path} --listen 'https://{listen}:7443'");
        await Console.Out.WriteLineAsync($"mfa --endpoint https://{name}:7443 --cacert {certificate} status");
        return ExitCodes.Done;
    }
}
