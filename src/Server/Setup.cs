using Mfa.Server.Callers;
using Mfa.Server.Callers.Quotas;
using Mfa.Server.Delivery;
using Mfa.Server.Flows;
using Mfa.Server.Observability;
using Mfa.Server.Protection;
using Mfa.Server.Rotation;
using Mfa.Server.Services;
using Mfa.Server.Store;
using Mfa.Server.Testing;
using Mfa.Server.Transport;
using Mfa.Server.Web;
using Microsoft.Extensions.Logging.Console;

namespace Mfa.Server;

/// <summary>Puts the rooms together into one server.</summary>
internal static class Setup
{
    public static WebApplication Build(
        DataFolder data, Settings settings, IReadOnlyList<ISender> senders, Listeners listeners, bool dev, StillClock? testClock = null)
    {
        // Empty: nothing is read from files or variables that Settings does not know.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "mfa-server" });
        AddLogging(builder.Logging, settings.LogLevel, dev);
        AddRooms(builder.Services, data, settings);
        builder.Services.AddSingleton(listeners).AddHostedService<TlsWatch>();
        foreach (var sender in senders) builder.Services.AddSingleton(sender);

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            listeners.BindOn(kestrel, settings.Limits, listen => listen.MarkAsWeb());
        });

        var app = builder.Build();
        if (!dev && Senders.SmsWarning(settings.Providers, settings.Delivery) is { } sms)
            app.Services.GetRequiredService<ILogger<Courier>>().SmsAlone(sms.Why, sms.Remedy);
        if (testClock is not null) MapTestPages(app, testClock, data);
        app.MapWhen(WebPages.IsWeb, web => WebPages.Map(web, settings.Telemetry));
        app.UseRouting();
        app.UseMiddleware<CallerGate>();
        app.UseMiddleware<UnreadableRequests>();
        app.MapGrpcService<MfaEndpoint>();
        app.MapGrpcHealthChecksService().AllowAnonymous();
        if (settings.Reflection) app.MapGrpcReflectionService().AllowAnonymous();
        return app;
    }

    /// <summary>Only here: without a test clock they are nowhere.</summary>
    private static void MapTestPages(WebApplication app, StillClock clock, DataFolder data)
    {
        var pages = new TestPages(clock, data.Store, app.Services.GetRequiredService<ApiKeys>(), data.Mailbox);
        app.MapWhen(http => WebPages.IsWeb(http) && http.Request.Path.StartsWithSegments(TestPages.Root, StringComparison.Ordinal), pages.Map);
    }

    private static void AddRooms(IServiceCollection services, DataFolder data, Settings settings)
    {
        services.AddRouting();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = settings.Limits.MessageBytes;
            grpc.EnableDetailedErrors = false;
            grpc.Interceptors.Add<BrokenCalls>();
        });
        services.AddSingleton<BrokenCalls>(); // or one would be made for every call
        services.AddGrpcReflection();
        services.AddSingleton<StoreHealth>();
        services.AddGrpcHealthChecks().AddCheck<StoreHealth>("store");

        services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.Limits.Grace);
        services.AddSingleton(data.Store.Clock);
        services.AddSingleton<TimeProvider>(data.Store.Clock);
        services.AddHostedService<ClockWatch>();
        services.AddSingleton(settings.Enrollment);
        services.AddSingleton(settings.Guesses.Policies);
        services.AddSingleton(settings.Passwords);

        services.AddSingleton(data.Store);
        services.AddSingleton(settings.Audit);
        services.AddHostedService<Sweeper>();
        services.AddHostedService<AuditKeeper>();
        services.AddSingleton(data.Ring);
        services.AddSingleton(data.StandingKey);
        services.AddHostedService(p => new RingWatch(data.Store, data.Ring, data.RingPath, data.Store.Clock, p.GetRequiredService<ILogger<RingWatch>>()));
        services.AddSingleton<Sealer>();
        services.AddSingleton<RecoveryHashes>();
        services.AddSingleton<SentCodeHashes>();
        services.AddSingleton<PasswordHasher>();

        services.AddSingleton<ApiKeys>();
        services.AddHostedService<ApiKeyUses>();
        services.AddSingleton<ClientCertificates>();
        services.AddSingleton(JwtCallers.From(settings, data.Store.Clock));
        services.AddHostedService<IssuerKeyRefresh>();
        services.AddSingleton<UserDirectory>();
        services.AddSingleton<PasswordGate>();
        services.AddSingleton<RefusedCallers>();
        services.AddHostedService(provider => provider.GetRequiredService<RefusedCallers>());

        services.AddSingleton(settings.Quotas);
        services.AddSingleton(settings.Spray);
        services.AddSingleton(settings.Telemetry);
        services.AddSingleton(_ => NewMeters(data.Store));
        if (settings.Telemetry.IsOn)
        {
            Telemetry.AddTo(services, settings.Telemetry);
            services.AddHostedService<OutboxGauge>();
            services.AddHostedService<AccountCounts>();
            services.AddHostedService<KeyUseGauge>();
        }

        services.AddSingleton<FailedCallers>();
        services.AddSingleton<SprayGuard>();
        services.AddSingleton<CallerQuotas>();
        if (data.Store.IsShared) services.AddHostedService<SharedQuotas>();

        services.AddSingleton(settings.Delivery);
        services.AddSingleton(new MessageTemplates(settings.Delivery.TextFolder, settings.Delivery.Language));
        services.AddSingleton<PhoneParser>();
        services.AddHostedService<Courier>();

        services.AddSingleton<CodeComparison>();
        services.AddSingleton<Repeatable>();
        services.AddSingleton<Refusals>();
        services.AddSingleton<Destinations>();
        services.AddSingleton<Outgoing>();
        services.AddSingleton<CodeIssuer>();
        services.AddSingleton<EnableFlow>();
        services.AddSingleton<VerifyFlow>();
        services.AddSingleton<GetTokenFlow>();
        services.AddSingleton<DisableFlow>();
        services.AddSingleton<ConfirmDisableFlow>();
        services.AddSingleton<StatusFlow>();
        services.AddSingleton<DisablePage>();
        services.AddSingleton<RecoveryCodesFlow>();
        services.AddSingleton<MfaEndpoint>();
    }

    private static Meters NewMeters(IStore store)
    {
        var meters = new Meters();
        store.Committed = meters.Committed;
        return meters;
    }

    /// <summary>Everything logged goes to standard error, as JSON in production; standard output says `ready`.</summary>
    private static void AddLogging(ILoggingBuilder logging, LogLevel level, bool dev)
    {
        logging.SetMinimumLevel(level);
        if (level > LogLevel.Debug)
        {
            // What callers send wrong is no news and must not fill a disk, and a refused start is told in one line of our own.
            logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None)
                .AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical).AddFilter("Grpc", LogLevel.Critical);
            // Were it on for its worst alone, each call would get a span that nobody reads.
            logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        }

        if (dev) logging.AddSimpleConsole(console => console.SingleLine = true);
        else logging.AddJsonConsole();
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
