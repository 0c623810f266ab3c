using System.Net;
using Grpc.Core;
using Mfa.V1;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mfa.Bench;

/// <summary>The same messages over the same transport with nothing behind: what the wire alone can do.</summary>
internal static class EchoServer
{
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.Services.AddGrpc();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using var app = builder.Build();
        app.MapGrpcService<Echo>();
        await app.StartAsync();
        Console.WriteLine($"ready grpc={app.Urls.First()} ");
        await app.WaitForShutdownAsync();
    }

    private sealed class Echo : MfaService.MfaServiceBase
    {
        private static readonly Task<VerifyResponse> Answer = Task.FromResult(new VerifyResponse
        {
            Verdict = Verdict.Accepted,
            Factor = Factor.Authenticator,
            AttemptsRemaining = 5,
            RecoveryCodesRemaining = 8,
        });

        public override Task<VerifyResponse> Verify(VerifyRequest request, ServerCallContext context) => Answer;

        public override Task<EnableResponse> Enable(EnableRequest request, ServerCallContext context) => Task.FromResult(new EnableResponse());
    }
}
