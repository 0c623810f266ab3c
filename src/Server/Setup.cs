using System.Net;
using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Flows;
using Mfa.Server.Protection;
using Mfa.Server.Services;
using Mfa.Server.Store;
using Mfa.Server.Web;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;

namespace Mfa.Server;

/// <summary>Puts the rooms together into one server.</summary>
internal static class Setup
{
    /// <summary>The largest request: an Enable with every field at its limit is a few hundred bytes.</summary>
    private const int MaxRequestBytes = 64 * 1024;

    public static WebApplication Build(
        DataFolder data, Settings settings, IReadOnlyList<ISender> senders, IPEndPoint grpc, IPEndPoint web, bool dev)
    {
        // Empty: nothing is read from files or variables that Settings does not know.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "mfa-server" });
        AddLogging(builder.Logging, settings.LogLevel, dev);
        AddRooms(builder.Services, data, settings);
        foreach (var sender in senders) builder.Services.AddSingleton(sender);

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(grpc, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(web, listen => listen.MarkAsWeb());
        });

        var app = builder.Build();
        app.MapWhen(WebPages.IsWeb, WebPages.Map);
        app.UseRouting();
        app.UseMiddleware<CallerGate>();
        app.UseMiddleware<UnreadableRequests>();
        app.MapGrpcService<MfaEndpoint>();
        app.MapGrpcHealthChecksService().AllowAnonymous();
        if (settings.Reflection) app.MapGrpcReflectionService().AllowAnonymous();
        return app;
    }

    private static void AddRooms(IServiceCollection services, DataFolder data, Settings settings)
    {
        services.AddRouting();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = MaxRequestBytes;
            grpc.EnableDetailedErrors = false;
            grpc.Interceptors.Add<BrokenCalls>();
        });
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks().AddCheck<StoreHealth>("store");

        services.AddSingleton(data.Store.Clock);
        services.AddSingleton<TimeProvider>(data.Store.Clock);
        services.AddHostedService<ClockWatch>();
        services.AddSingleton(settings.Enrollment);
        services.AddSingleton(settings.Guesses);
        services.AddSingleton(settings.Passwords);

        services.AddSingleton(data.Store);
        services.AddHostedService<Sweeper>();
        services.AddSingleton(data.Ring);
        services.AddSingleton<Sealer>();
        services.AddSingleton<RecoveryHashes>();
        services.AddSingleton<SentCodeHashes>();
        services.AddSingleton<PasswordHasher>();

        services.AddSingleton<ApiKeys>();
        services.AddSingleton<UserDirectory>();
        services.AddSingleton<PasswordGate>();

        services.AddSingleton(settings.Delivery);
        services.AddSingleton(new MessageTemplates(settings.Delivery.TextFolder, settings.Delivery.Language));
        services.AddSingleton<PhoneParser>();
        services.AddHostedService<Courier>();

        services.AddSingleton<CodeComparison>();
        services.AddSingleton<Repeatable>();
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

    /// <summary>Everything logged goes to standard error, as JSON in production; standard output says `ready`.</summary>
    private static void AddLogging(ILoggingBuilder logging, LogLevel level, bool dev)
    {
        logging.SetMinimumLevel(level);
        if (level > LogLevel.Debug)
        {
            // What callers send wrong is no news, and a refused start is told in one line of our own.
            logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting", LogLevel.None).AddFilter("Grpc", LogLevel.Critical);
        }

        if (dev) logging.AddSimpleConsole(console => console.SingleLine = true);
        else logging.AddJsonConsole();
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
