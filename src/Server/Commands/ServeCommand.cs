using System.CommandLine;
using Mfa.Server.Delivery;
using Mfa.Server.Testing;
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

    /// <summary>For tests in any language. See tests/Polyglot/README.md.</summary>
    public static readonly Option<bool> TestClock = new("--test-clock")
    {
        Description = "With --dev, for tests: a clock that stands still, moved by POST /test/clock?advance=SECONDS on the web address. Wants a new DIR.",
    };

    public static readonly Option<string> Listen = new("--listen")
    {
        Description = "Address of gRPC: https, or http on loopback. HOST is an IP address, localhost or *.",
        DefaultValueFactory = _ => "http://127.0.0.1:7443",
    };

    public static readonly Option<string> Web = new("--web")
    {
        Description = "Address of plain health (/livez, /readyz, /startupz), of metrics (/metrics) and of the page that mailed links open (/disable).",
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
            command.Options.Add(TestClock);
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

        var testClock = parsed.GetValue(TestClock) ? OpenTestClock(dev, folder) : null;
        using var data = await DataFolder.OpenAsync(folder, testClock ?? TimeProvider.System, alone: true, settings.Store,
            cacheMebibytes: settings.CacheMebibytes);
        if (dev) await DevKey.CreateOnceAsync(data, TimeProvider.System);

        var mailbox = dev ? data.Mailbox : null;
        var senders = Senders.From(settings.Providers, settings.Enrollment.Issuer, mailbox, TimeProvider.System);
        await using var app = Setup.Build(data, settings, senders, listeners, dev, testClock);
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException taken)
        {
            await app.StopAsync(CancellationToken.None); // parts that are at work already would take the end for a fault of theirs
            throw new StartRefusedException($"{taken.Message} Choose another --listen or --web.");
        }

        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
        await Console.Out.WriteLineAsync($"ready grpc={addresses[0]} web={addresses[1]} data={data.Path}");
        await app.WaitForShutdownAsync(ct);
        // A part that broke has ended all: whoever watches over the server must see that nobody asked for it.
        var parts = app.Services.GetServices<IHostedService>().OfType<BackgroundService>();
        return parts.Any(part => part.ExecuteTask is { IsFaulted: true }) ? ExitCodes.Failed : ExitCodes.Done;
    }

    /// <exception cref="StartRefusedException">Time would be told to somebody in earnest.</exception>
    private static StillClock OpenTestClock(bool dev, string folder)
    {
        if (!dev) throw new StartRefusedException("--test-clock: whoever moves the clock decides which codes are right, so it is for --dev alone. Leave it out.");
        var database = Path.GetFullPath(Path.Combine(folder, "mfa.db"));
        if (File.Exists(database))
            throw new StartRefusedException($"--test-clock: {database} has a time of its own, which does not go back. Choose a new folder for --data.");
        return new StillClock(TimeProvider.System);
    }
}
