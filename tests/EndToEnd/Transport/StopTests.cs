using System.Collections.Concurrent;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Transport;

/// <summary>A server that is asked to stop while it is busy (TD16).</summary>
public sealed class StopTests
{
    private const int Rounds = 5;
    private const int Callers = 8;

    [Fact]
    public async Task What_was_answered_before_a_stop_holds_after_it_and_nothing_else_is_answered()
    {
        await using var server = await ServerProcess.StartWithTlsAsync(Certificates.For("127.0.0.1"));
        var owners = new List<Owner>();
        for (var i = 0; i < Rounds; i++) owners.Add(await Owner.EnrolAsync(server.Dev));

        foreach (var owner in owners)
        {
            var enrolled = new ConcurrentBag<string>();
            var busy = new TaskCompletionSource();
            var enrolling = Enumerable.Range(0, Callers).Select(_ => Task.Run(() => EnrolUntilItStopsAsync(server, enrolled, busy))).ToArray();
            await busy.Task;
            var verifying = owner.RecoveryCodes.Select(code => Task.Run(() => AnsweredAsync(() => server.Dev.VerifyAsync(owner.Account, code)))).ToArray();

            Assert.Equal(0, await server.StopAsync());
            await Task.WhenAll(enrolling);
            var answers = await Task.WhenAll(verifying);
            await server.StartAgainAsync();

            Assert.All(await Task.WhenAll(enrolled.Select(server.Dev.GetStatusAsync)), reply => Assert.Equal(State.Pending, reply.State));
            Assert.All(answers, reply => Assert.True(reply is null or { Verdict: Verdict.Accepted })); // each code was good and came once
            var left = (await server.Dev.GetStatusAsync(owner.Account)).RecoveryCodesRemaining;
            Assert.InRange(left, 0, answers.Count(reply => reply is null)); // what was not answered may have counted or not
        }
    }

    [Fact]
    public async Task Calls_that_were_accepted_before_a_stop_are_answered()
    {
        await using var server = await ServerProcess.StartWithTlsAsync(Certificates.For("127.0.0.1"));
        await ServerProgram.AddPersonAsync(server.Data, "jane", "jane@example.org", "a long password");
        var jane = server.NewCallerWith(Caller.Basic("jane", "a long password"));
        await jane.GetStatusAsync("");

        // Each takes a long time on its password, one after the other.
        var calls = Enumerable.Range(0, 4).Select(_ => jane.GetStatusAsync("")).ToArray();
        await jane.PingAsync(); // on the same connection, which is read in order: all four have arrived
        var stopping = server.StopAsync();

        Assert.All(await Task.WhenAll(calls), reply => Assert.Equal(State.Disabled, reply.State));
        Assert.Equal(0, await stopping);
    }

    private static async Task EnrolUntilItStopsAsync(ServerProcess server, ConcurrentBag<string> enrolled, TaskCompletionSource busy)
    {
        var caller = server.NewCaller(server.DevKey);
        var account = Owner.NewAccount();
        while (await AnsweredAsync(() => caller.EnableAsync(account)) is not null)
        {
            enrolled.Add(account);
            if (enrolled.Count >= 10 * Callers) busy.TrySetResult();
            account = Owner.NewAccount();
        }
    }

    /// <summary>To a call that it does not answer any more the server says that it is unavailable, or nothing at all.</summary>
    private static async Task<T?> AnsweredAsync<T>(Func<Task<T>> call)
        where T : class
    {
        try
        {
            return await call();
        }
        catch (RpcException error)
        {
            Assert.True(error.StatusCode == StatusCode.Unavailable || error.GetRpcStatus() is null, error.ToString());
            return null;
        }
    }
}
