using System.Security.Cryptography;
using Grpc.Core;
using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>Callers that do not wait for the answer: what they sent counts all the same (TL5).</summary>
public sealed class LostCallerTests(DevServer server) : IClassFixture<DevServer>, IAsyncDisposable
{
    private Caller Caller => server.Process.Dev;

    public ValueTask DisposeAsync() => new(Owner.AssertServedAsync(Caller));

    [Fact]
    public async Task Guesses_with_a_deadline_too_short_for_the_answer_count()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var wrong = await owner.App.WrongCodesAsync(200);

        for (var i = 0; i < wrong.Length; i++)
        {
            var request = new VerifyRequest { Account = owner.Account, Code = wrong[i] };
            await GiveUpAsync(() => Caller.VerifyAsync(request, TimeSpan.FromMilliseconds(1 + i % 20)));
        }

        await AssertLockedAfterFiveAsync(owner);
    }

    [Fact]
    public async Task Guesses_of_callers_that_hang_up_count()
    {
        var owner = await Owner.EnrolAsync(Caller);
        var wrong = await owner.App.WrongCodesAsync(200);

        foreach (var code in wrong)
        {
            var request = new VerifyRequest { Account = owner.Account, Code = code };
            using var hangUp = new CancellationTokenSource(TimeSpan.FromMicroseconds(RandomNumberGenerator.GetInt32(10_000)));
            await GiveUpAsync(() => Caller.VerifyUntilAsync(request, hangUp.Token));
        }

        await AssertLockedAfterFiveAsync(owner);
    }

    [Fact]
    public async Task A_right_code_whose_answer_was_lost_is_accepted_at_most_once()
    {
        for (var round = 0; round < 40; round++)
        {
            var owner = await Owner.EnrolAsync(Caller);
            var request = new VerifyRequest { Account = owner.Account, Code = owner.NextCode };

            var told = await GiveUpAsync(() => Caller.VerifyAsync(request, TimeSpan.FromMilliseconds(1 + round / 4)));
            var again = await Caller.VerifyAsync(request);
            var third = await Caller.VerifyAsync(request);

            var accepted = new[] { told, again, third }.Count(reply => reply?.Verdict == Verdict.Accepted);
            Assert.True(accepted <= 1, "One code was accepted twice.");
            Assert.Equal(Verdict.Rejected, third.Verdict);
        }
    }

    /// <summary>Exactly five were looked at, however many arrived: the database tells what no reply was waited for to tell.</summary>
    private async Task AssertLockedAfterFiveAsync(Owner owner)
    {
        Assert.Equal(Verdict.Locked, (await Caller.VerifyAsync(owner.Account, owner.NextCode)).Verdict);
        const string Sql = "SELECT factor_failures FROM accounts WHERE account = @account";
        Assert.Equal(5L, await FolderStores.AskAsync(server.Process, Sql, owner.Account));
    }

    private static async Task<VerifyResponse?> GiveUpAsync(Func<Task<VerifyResponse>> call)
    {
        try
        {
            return await call();
        }
        catch (RpcException error) when (error.StatusCode is StatusCode.DeadlineExceeded or StatusCode.Cancelled)
        {
            return null;
        }
    }
}
