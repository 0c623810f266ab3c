using System.Net;
using System.Text;
using Google.Rpc;
using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

/// <summary>What a caller gets who asks for too much: always the same status, when to come back, and nothing else.</summary>
public sealed class QuotaTests
{
    private const string Unreadable = "\x08";

    [Fact]
    public async Task A_service_past_its_calls_comes_back_when_it_was_told_and_the_others_notice_nothing()
    {
        await using var server = await TestServer.StartAsync("quota:callsPerSecond=2", "quota:callsBurst=3");
        var (shop, bank) = (await server.KeyAsync(), await server.KeyAsync());
        for (var i = 0; i < 3; i++) await StatusAsync(server, shop);

        Assert.Equal(TimeSpan.FromSeconds(0.5), await LimitedAsync("calls", () => StatusAsync(server, shop)));
        await StatusAsync(server, bank);
        server.Clock.Advance(TimeSpan.FromSeconds(0.5));
        await StatusAsync(server, shop);
        await LimitedAsync("calls", () => StatusAsync(server, shop));
    }

    [Fact]
    public async Task A_call_that_is_not_allowed_counts_as_one()
    {
        await using var server = await TestServer.StartAsync("quota:callsBurst=2");
        var shop = await server.KeyAsync(Scopes.Disable);
        for (var i = 0; i < 2; i++)
            await Refused.AsAsync(StatusCode.PermissionDenied, "CALLER_NOT_ALLOWED", () => StatusAsync(server, shop));

        await LimitedAsync("calls", () => StatusAsync(server, shop));
    }

    [Fact]
    public async Task Past_its_guesses_a_right_code_is_not_used_up_and_a_wrong_one_does_not_count()
    {
        await using var server = await TestServer.StartAsync("quota:guessesPerSecond=1", "quota:guessesBurst=3");
        var alice = await EnrolledAccount.NewAsync(server); // two guesses
        await alice.FailAsync(1);

        for (var i = 0; i < 10; i++) Assert.Equal(TimeSpan.FromSeconds(1), await LimitedAsync("guesses", () => alice.VerifyAsync(alice.WrongCode())));
        await LimitedAsync("guesses", () => alice.VerifyAsync(alice.Code(server.Step)));
        await alice.StatusAsync(); // is no guess

        server.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(3, (await alice.VerifyAsync(alice.WrongCode())).AttemptsRemaining);
        Assert.Equal(Verdict.Accepted, (await alice.VerifyAsync(alice.Code(server.Step))).Verdict);
    }

    [Theory]
    [InlineData("Verify")]
    [InlineData("Enable")]
    [InlineData("RegenerateRecoveryCodes")]
    [InlineData("ConfirmDisable")]
    public async Task Every_rpc_that_submits_a_code_is_a_guess_and_past_the_limit_its_request_is_not_read(string rpc)
    {
        await using var server = await TestServer.StartAsync("quota:guessesPerSecond=1", "quota:guessesBurst=2");
        var shop = await server.KeyAsync(Scopes.Verify | Scopes.Enroll | Scopes.Disable);
        for (var i = 0; i < 2; i++) await Refused.FieldsAsync(["request"], () => server.SendAsync(rpc, Unreadable, shop));

        await LimitedAsync("guesses", () => server.SendAsync(rpc, Unreadable, shop));

        await Refused.FieldsAsync(["request"], () => server.SendAsync("GetStatus", Unreadable, shop));
    }

    [Fact]
    public async Task A_limit_of_zero_is_none()
    {
        await using var server = await TestServer.StartAsync(
            "quota:callsPerSecond=0", "quota:callsBurst=1", "quota:guessesPerSecond=0", "quota:guessesBurst=1");
        var alice = await EnrolledAccount.NewAsync(server);

        for (var i = 0; i < 20; i++) await alice.StatusAsync();
        await alice.FailAsync(4);
    }

    [Fact]
    public async Task A_person_has_limits_of_their_own_on_both_addresses()
    {
        await using var server = await TestServer.StartAsync("quota:personCallsBurst=3", "quota:personGuessesBurst=2");
        var jane = await server.PersonAsync("jane", "correct horse");
        await EnrolledAccount.NewAsync(server, "jane", jane); // two calls, both guesses

        await LimitedAsync("guesses", async () => await server.Client.VerifyAsync(new VerifyRequest { Code = "123456" }, jane));
        Assert.Equal(TimeSpan.FromSeconds(0.2), await LimitedAsync("calls", () => StatusAsync(server, jane)));
        using var http = new HttpClient { BaseAddress = server.Web };
        var form = $$"""{"username":"jane","password":"correct horse","token":"{{new string('A', 43)}}"}""";
        using var page = await http.PostAsync("/disable/confirm", new StringContent(form, Encoding.UTF8, "application/json"));
        Assert.Equal((HttpStatusCode)429, page.StatusCode);

        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await StatusAsync(server, jane);
        using var later = await http.PostAsync("/disable/confirm", new StringContent(form, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Forbidden, later.StatusCode); // was looked at
    }

    [Fact]
    public async Task An_address_that_keeps_failing_is_limited_but_a_right_key_from_there_gets_in()
    {
        await using var server = await TestServer.StartAsync("quota:failuresPerSecond=1", "quota:failuresBurst=20");
        var shop = await server.KeyAsync();
        for (var i = 0; i < 20; i++) await UnauthenticatedAsync(server, i % 2 == 0 ? [] : new Metadata { { "authorization", "Bearer wrong" } });

        Assert.Equal(TimeSpan.FromSeconds(1), await LimitedAsync("failures", () => StatusAsync(server, [])));
        await StatusAsync(server, shop);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await UnauthenticatedAsync(server, []);
        await LimitedAsync("failures", () => StatusAsync(server, []));
    }

    [Fact]
    public async Task A_wrong_password_weighs_twenty_and_past_the_limit_none_is_looked_at()
    {
        await using var server = await TestServer.StartAsync("quota:failuresPerSecond=1", "quota:failuresBurst=50");
        var jane = await server.PersonAsync("jane", "correct horse");
        for (var i = 0; i < 2; i++) await UnauthenticatedAsync(server, TestServer.Basic("jane", "correct horsf"));

        Assert.Equal(TimeSpan.FromSeconds(10), await LimitedAsync("failures", () => StatusAsync(server, jane)));
        for (var i = 0; i < 10; i++) await LimitedAsync("failures", () => StatusAsync(server, TestServer.Basic("jane", "correct horsf")));

        server.Clock.Advance(TimeSpan.FromSeconds(10));
        await StatusAsync(server, jane); // those ten did not lock the name
    }

    /// <summary>TL13: who guesses at passwords learns nothing from where the limit sets in.</summary>
    [Fact]
    public async Task An_unknown_name_and_a_known_one_get_the_same_series_of_answers()
    {
        var (known, unknown) = (await SeriesAsync("jane"), await SeriesAsync("joan"));

        Assert.Equal(known, unknown);
        Assert.Contains("Unauthenticated", known[0]);
        Assert.Contains("ResourceExhausted", known[^1]);

        static async Task<List<string>> SeriesAsync(string name)
        {
            await using var server = await TestServer.StartAsync("quota:failuresPerSecond=1", "quota:failuresBurst=60");
            await server.PersonAsync("jane", "correct horse");
            return await AnswersAsync(6, async () => await StatusAsync(server, TestServer.Basic(name, "wrong")));
        }
    }

    /// <summary>TL13: nor who guesses at codes, beyond what Verify tells in its first answer.</summary>
    [Fact]
    public async Task An_unknown_account_and_a_known_one_are_past_the_limit_at_the_same_call_and_in_the_same_words()
    {
        await using var server = await TestServer.StartAsync("quota:guessesPerSecond=1", "quota:guessesBurst=4");
        var (shop, bank) = (await server.KeyAsync(), await server.KeyAsync());
        var alice = await EnrolledAccount.NewAsync(server);

        var known = await AnswersAsync(8, async () => await GuessAsync(server, "alice", alice.WrongCode(), shop));
        var unknown = await AnswersAsync(8, async () => await GuessAsync(server, "nobody", alice.WrongCode(), bank));

        Assert.All(known[..4], answer => Assert.Equal("OK", answer));
        Assert.All(unknown[..4], answer => Assert.StartsWith("FailedPrecondition", answer));
        Assert.Equal(known[4..], unknown[4..]);
        Assert.All(known[4..], answer => Assert.StartsWith("ResourceExhausted", answer));
    }

    [Fact]
    public async Task A_caller_that_sprays_may_not_guess_for_a_while_but_all_else_and_everybody_else_goes_on()
    {
        await using var server = await TestServer.StartAsync("spray:wrong=12", "spray:accounts=4", "spray:pauseSeconds=60");
        var attacker = await server.KeyAsync();
        var accounts = new List<EnrolledAccount>();
        for (var i = 0; i < 5; i++) accounts.Add(await EnrolledAccount.NewAsync(server, $"account-{i}"));

        for (var i = 0; i < 12; i++) await GuessAsync(server, $"account-{i % 4}", accounts[i % 4].WrongCode(), attacker);

        var code = accounts[4].Code(server.Step);
        Assert.Equal(TimeSpan.FromSeconds(60), await LimitedAsync("spray", () => GuessAsync(server, "account-4", code, attacker)));
        await StatusAsync(server, attacker);
        Assert.Equal(Verdict.Accepted, (await accounts[4].VerifyAsync(code)).Verdict);
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        await GuessAsync(server, "account-4", accounts[4].WrongCode(), attacker);
    }

    /// <summary>Wrong codes to Enable and RegenerateRecoveryCodes and wrong tokens are guesses like any other.</summary>
    [Fact]
    public async Task A_spray_is_noticed_whichever_rpc_it_comes_through_and_a_repeated_request_is_one_guess()
    {
        await using var server = await TestServer.StartAsync("spray:wrong=10", "spray:accounts=2");
        var attacker = await server.KeyAsync(Scopes.Verify | Scopes.Enroll | Scopes.Disable);
        var (alice, bob) = (await EnrolledAccount.NewAsync(server), await EnrolledAccount.NewAsync(server, "bob"));
        var repeated = new VerifyRequest { Account = "alice", Code = alice.WrongCode(), RequestId = Guid.NewGuid().ToString() };

        for (var i = 0; i < 20; i++) Assert.Equal(Verdict.Rejected, (await server.Client.VerifyAsync(repeated, attacker)).Verdict);
        for (var i = 0; i < 3; i++)
        {
            await Refused.AsAsync(StatusCode.PermissionDenied, "CODE_REFUSED", async () => await server.Client.EnableAsync(
                new EnableRequest { Account = "alice", Method = V1.Method.Authenticator, Code = alice.WrongCode() }, attacker));
            await Refused.AsAsync(StatusCode.PermissionDenied, "CODE_REFUSED", async () => await server.Client.RegenerateRecoveryCodesAsync(
                new RegenerateRecoveryCodesRequest { Account = "bob", Code = bob.WrongCode() }, attacker));
            await Refused.AsAsync(StatusCode.PermissionDenied, "TOKEN_REFUSED", async () => await server.Client.ConfirmDisableAsync(
                new ConfirmDisableRequest { Account = "bob", Token = new string('A', 43) }, attacker));
        }

        await LimitedAsync("spray", () => GuessAsync(server, "bob", bob.WrongCode(), attacker));
    }

    private static async Task StatusAsync(TestServer server, Metadata caller) =>
        await server.Client.GetStatusAsync(new GetStatusRequest { Account = caller.Count == 0 || caller[0].Value.StartsWith("Bearer", StringComparison.Ordinal) ? "alice" : "" }, caller);

    private static async Task GuessAsync(TestServer server, string account, string code, Metadata caller) =>
        await server.Client.VerifyAsync(new VerifyRequest { Account = account, Code = code }, caller);

    private static Task<Google.Rpc.Status> UnauthenticatedAsync(TestServer server, Metadata caller) =>
        Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED", () => StatusAsync(server, caller));

    /// <returns>When to come back.</returns>
    private static async Task<TimeSpan> LimitedAsync(string limit, Func<Task> call)
    {
        var status = await Refused.AsAsync(StatusCode.ResourceExhausted, "CALLER_LIMIT", call);
        Assert.Equal(limit, status.GetDetail<ErrorInfo>().Metadata["limit"]);
        return status.RetryDelay()!.ToTimeSpan();
    }

    /// <summary>All that a caller sees of each answer.</summary>
    private static async Task<List<string>> AnswersAsync(int count, Func<Task> call)
    {
        var answers = new List<string>();
        for (var i = 0; i < count; i++)
        {
            try
            {
                await call();
                answers.Add("OK");
            }
            catch (RpcException error)
            {
                answers.Add($"{error.StatusCode} {error.GetRpcStatus()}");
            }
        }

        return answers;
    }
}
