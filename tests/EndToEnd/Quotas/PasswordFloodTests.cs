using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Quotas;

/// <summary>Many passwords at once, each of which costs a good part of a second of a core (TD11).</summary>
public sealed class PasswordFloodTests
{
    private const string Password = "correct horse";

    [Fact]
    public async Task Of_200_logins_at_once_some_are_checked_and_the_rest_turned_away_while_services_go_on()
    {
        const int Places = 14;
        await using var server = await ServerProcess.StartAsync($"passwords:queue={Places - 1}");
        await ServerProgram.AddPersonAsync(server.Data, "jane", "jane@example.org", Password);
        var owner = await Owner.EnrolAsync(server.Dev);
        var wrong = await owner.App.WrongCodesAsync(4);
        // A name that nobody has costs as much. Four of each name are let in, so that these three leave room for Jane.
        using var jane = From(server, "127.0.0.2", "jane");
        using var first = From(server, "127.0.0.3", "first");
        using var second = From(server, "127.0.0.4", "second");
        using var third = From(server, "127.0.0.5", "third");

        var logins = Enumerable.Range(0, 50).SelectMany(_ => new[] { jane, first, second, third }).Select(OutcomeAsync).ToArray();
        await Task.WhenAny(logins);
        Assert.Equal(Verdict.Accepted, (await server.Dev.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        foreach (var code in wrong) Assert.Equal(Verdict.Rejected, (await server.Dev.VerifyAsync(owner.Account, code)).Verdict);
        Assert.Contains(logins, login => !login.IsCompleted); // five checks of codes come before as many as 14 of passwords
        var outcomes = await Task.WhenAll(logins);

        Assert.InRange(outcomes.Count(outcome => outcome is "OK" or "Unauthenticated"), Places, 199);
        Assert.Contains("OK", outcomes);
        Assert.All(outcomes, outcome => Assert.True(outcome is "OK" or "Unauthenticated" or "passwords", outcome));
        Assert.Equal("OK", await OutcomeAsync(jane)); // the places are free again
    }

    [Fact]
    public async Task One_address_that_floods_does_not_keep_others_out()
    {
        await using var server = await ServerProcess.StartAsync("passwords:queue=11", "quota:failuresPerSecond=100000", "quota:failuresBurst=100000");
        await ServerProgram.AddPersonAsync(server.Data, "jane", "jane@example.org", Password);
        using var stop = new CancellationTokenSource();
        var flood = Enumerable.Range(0, 16).Select(i => FloodAsync(server, $"name-{i}", stop.Token)).ToArray();
        // Once one more is turned away there, its share is taken: and each place that becomes free is taken again by the flood.
        using var another = From(server, "127.0.0.2", "another");
        while (await OutcomeAsync(another) != "passwords")
        {
        }

        using var jane = From(server, "127.0.0.3", "jane");
        Assert.Equal("OK", await OutcomeAsync(jane));

        await stop.CancelAsync();
        await Task.WhenAll(flood);
    }

    private static CallerFrom From(ServerProcess server, string address, string name) => new(address, server.Grpc, Caller.Basic(name, Password));

    private static async Task FloodAsync(ServerProcess server, string name, CancellationToken stop)
    {
        using var caller = From(server, "127.0.0.2", name);
        while (!stop.IsCancellationRequested) await OutcomeAsync(caller);
    }

    /// <returns>OK, or which limit turned the call away; the status when it was something else.</returns>
    private static async Task<string> OutcomeAsync(CallerFrom caller)
    {
        try
        {
            await caller.GetStatusAsync();
            return "OK";
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.ResourceExhausted)
        {
            var status = refused.GetRpcStatus()!;
            Past.AssertSaysWhen(status);
            return status.GetDetail<Google.Rpc.ErrorInfo>()!.Metadata["limit"];
        }
        catch (RpcException refused)
        {
            return refused.StatusCode.ToString();
        }
    }
}
