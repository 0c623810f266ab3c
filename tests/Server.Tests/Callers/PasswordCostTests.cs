using System.Diagnostics.Metrics;
using Grpc.Core;
using Mfa.Server.Protection;
using Mfa.Server.Tests.Services;
using Mfa.V1;
using Microsoft.Extensions.DependencyInjection;

namespace Mfa.Server.Tests.Callers;

/// <summary>An unknown name is not told from a wrong password by what either costs (AU12). Counted, not timed.</summary>
public sealed class PasswordCostTests
{
    [Fact]
    public async Task Unknown_name_wrong_password_and_locked_name_cost_the_same_and_get_the_same_answer()
    {
        await using var server = await TestServer.StartAsync();
        await server.PersonAsync("jane", "correct horse");
        await server.PersonAsync("jack", "correct horse");
        for (var i = 0; i < 5; i++) await RefusalAsync(server, "jack", "wrong"); // locked from now on
        long rounds = 0;
        using var listener = new MeterListener();
        var hasher = server.Services.GetRequiredService<PasswordHasher>();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, hasher)) l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref rounds, count));
        listener.Start();

        var answers = new List<(long Rounds, Google.Rpc.Status Status)>();
        (string, string)[] people = [("jane", "wrong"), ("nobody", "wrong"), ("nobody", "correct horse"), ("jack", "correct horse"), ("", "wrong")];
        foreach (var (name, password) in people)
        {
            Interlocked.Exchange(ref rounds, 0);
            var status = await RefusalAsync(server, name, password);
            answers.Add((Interlocked.Read(ref rounds), status));
        }

        Assert.Equal(PasswordHasher.MinRounds, answers[0].Rounds);
        Assert.Single(answers.Distinct());
    }

    private static Task<Google.Rpc.Status> RefusalAsync(TestServer server, string name, string password) => Refused.AsAsync(
        StatusCode.Unauthenticated, "UNAUTHENTICATED",
        async () => await server.Client.GetStatusAsync(new GetStatusRequest(), TestServer.Basic(name, password)));
}
