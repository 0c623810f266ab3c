using System.CommandLine;
using Mfa.Server.Delivery;
using Mfa.Server.Transport;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Mfa.Server.Commands;

/// <summary>`mfa-server serve`, which is also what `mfa-server` alone does.</summary>
internal static class ServeCommand
{
    public static readonly Option<bool> Dev = new("--dev")
    {
        Description = "Development: plain text on loopback, reflection on, and a key with every scope in DIR/dev.key.",
    };

    public static readonly Option<string> Listen = new("--listen")
    {
        Description = "Address of gRPC: https, or http on loopback. HOST is an IP address, localhost or *.",
        DefaultValueFactory = _ => "http://127.0.0.1:7443",
    };

    public static readonly Option<string> Web = new("--web")
    {
        Description = "Address of plain health (/health/live, /health/ready) and of the page that mailed links open (/disable).",
        DefaultValueFactory = _ => "http://127.0.0.1:7480",
    };

    public static readonly Option<string[]> Set = new("--set")
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
            command.Options.Add(SharedOptions.Store);
            command.Options.Add(Listen);
            command.Options.Add(Web);
            command.Options.Add(Set);
            command.SetAction(RunAsync);
        }

        root.Subcommands.Add(serve);
    }

    /// <exception cref="StartRefusedException">They are not understood.</exception>
    public static Settings SettingsOf(ParseResult parsed)
    {
        Hardening.CloseDiagnosticsPort();
        var dev = parsed.GetValue(Dev);
        var defaults = new Settings
        {
            Reflection = dev,
            Delivery = new DeliveryOptions { DisablePage = dev ? $"{parsed.GetValue(Web)!.TrimEnd('/')}/disable" : "" },
        };
        var settings = SettingSources.Read(defaults, Environment.CurrentDirectory, parsed.GetValue(Set)!);
        return parsed.GetValue(SharedOptions.Store) is { } store ? settings with { Store = store } : settings;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        var dev = parsed.GetValue(Dev);
        var settings = SettingsOf(parsed);
        var folder = parsed.GetValue(SharedOptions.Data)!;
        var listeners = Listeners.Open(
            ListenAddress.Parse("--listen", parsed.GetValue(Listen)!),
            ListenAddress.Parse("--web", parsed.GetValue(Web)!),
            settings.Tls,
            folder,
            TimeProvider.System.GetUtcNow());
        if (dev) listeners.RefuseDevelopmentBeyondLoopback();

        using var data = await DataFolder.OpenAsync(folder, TimeProvider.System, alone: true, settings.Store);
        if (dev) await DevKey.CreateOnceAsync(data, TimeProvider.System);

        var mailbox = dev ? Path.Combine(data.Path, "outbox") : null;
        var senders = Senders.From(settings.Providers, settings.Enrollment.Issuer, mailbox, TimeProvider.System);
        await using var app = Setup.Build(data, settings, senders, listeners, dev);
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
}
