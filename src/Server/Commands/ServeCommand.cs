using System.CommandLine;
using System.Net;
using Mfa.Server.Delivery;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server serve`, which is also what `mfa-server` alone does.</summary>
internal static class ServeCommand
{
    private static readonly Option<bool> Dev = new("--dev")
    {
        Description = "Development: plain text on loopback, reflection on, and a key with every scope in DIR/dev.key.",
    };

    private static readonly Option<string> Listen = new("--listen")
    {
        Description = "Address of gRPC.",
        DefaultValueFactory = _ => "http://127.0.0.1:7443",
    };

    private static readonly Option<string> Web = new("--web")
    {
        Description = "Address of plain health (/health/live, /health/ready) and of the page that mailed links open (/disable).",
        DefaultValueFactory = _ => "http://127.0.0.1:7480",
    };

    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "A setting, as section:key=value. Can be given several times.",
        DefaultValueFactory = _ => [],
    };

    public static void AddTo(RootCommand root)
    {
        var serve = new Command("serve", "Serve the second factor over gRPC (the default verb).");
        foreach (var command in new Command[] { root, serve })
        {
            command.Options.Add(Dev);
            command.Options.Add(SharedOptions.Data);
            command.Options.Add(Listen);
            command.Options.Add(Web);
            command.Options.Add(Set);
            command.SetAction(RunAsync);
        }

        root.Subcommands.Add(serve);
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        Hardening.CloseDiagnosticsPort();
        var dev = parsed.GetValue(Dev);
        var defaults = new Settings
        {
            Reflection = dev,
            Delivery = new DeliveryOptions { DisablePage = dev ? $"{parsed.GetValue(Web)!.TrimEnd('/')}/disable" : "" },
        };
        var settings = SettingSources.Read(defaults, Environment.CurrentDirectory, parsed.GetValue(Set)!);
        var grpc = LoopbackEndpoint("--listen", parsed.GetValue(Listen)!);
        var web = LoopbackEndpoint("--web", parsed.GetValue(Web)!);

        using var data = await DataFolder.OpenAsync(parsed.GetValue(SharedOptions.Data)!, TimeProvider.System);
        data.LockForServing();
        if (dev) await DevKey.CreateOnceAsync(data, TimeProvider.System);

        var mailbox = dev ? Path.Combine(data.Path, "outbox") : null;
        var senders = Senders.From(settings.Providers, settings.Enrollment.Issuer, mailbox, TimeProvider.System);
        await using var app = Setup.Build(data, settings, senders, grpc, web, dev, TimeProvider.System);
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException taken)
        {
            throw new StartRefusedException($"{taken.Message} Choose another --listen or --web.");
        }

        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
        await Console.Out.WriteLineAsync($"ready grpc={addresses[0]} web={addresses[1]} data={data.Path}");
        await app.WaitForShutdownAsync(ct);
        return ExitCodes.Done;
    }

    /// <summary>Without TLS, credentials and codes must not leave the machine.</summary>
    private static IPEndPoint LoopbackEndpoint(string option, string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/")
            throw new StartRefusedException($"{option} {text}: give an address such as http://127.0.0.1:7443.");
        var address = uri.Host == "localhost" ? IPAddress.Loopback
            : IPAddress.TryParse(uri.Host.Trim('[', ']'), out var parsed) ? parsed
            : null;
        if (address is null || !IPAddress.IsLoopback(address))
        {
            throw new StartRefusedException($"{option} {text}: plain text is served on loopback only (127.0.0.1, [::1] or localhost), " +
                "because it shows credentials and codes to the network.");
        }

        return new IPEndPoint(address, uri.Port);
    }
}
