using Grpc.Core;
using Mfa.Server.Store;
using Mfa.V1;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mfa.Server.Tests.Services;

/// <summary>A repeated request is answered again, and nothing happens twice.</summary>
public sealed class RequestIdTests
{
    [Fact]
    public async Task The_same_request_gets_the_first_answer_for_ten_minutes_and_not_after()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var (code, id) = (alice.Code(server.Step), NewId());

        var first = await alice.VerifyAsync(code, requestId: id);
        server.Clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        var second = await alice.VerifyAsync(code, requestId: id);
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        var third = await alice.VerifyAsync(code, requestId: id);

        Assert.Equal(Verdict.Accepted, first.Verdict);
        Assert.Equal(first, second);
        Assert.Equal(Verdict.Rejected, third.Verdict);
    }

    [Fact]
    public async Task What_is_kept_of_a_request_is_removed_after_its_time()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var sweeper = new Sweeper(server.Services.GetRequiredService<IStore>(), server.Clock, NullLogger<Sweeper>.Instance);
        await alice.VerifyAsync(alice.WrongCode(), requestId: NewId());

        server.Clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        await sweeper.SweepAsync();
        Assert.Equal(1, CountKept(server));
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await sweeper.SweepAsync();
        Assert.Equal(0, CountKept(server));
    }

    [Fact]
    public async Task A_wrong_code_repeated_counts_once()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var (code, id) = (alice.WrongCode(), NewId());

        for (var i = 0; i < 3; i++) Assert.Equal(4, (await alice.VerifyAsync(code, requestId: id)).AttemptsRemaining);
        Assert.Equal(3, (await alice.VerifyAsync(code, requestId: NewId())).AttemptsRemaining);
    }

    [Fact]
    public async Task Sixty_four_at_once_get_one_answer_and_have_one_effect()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var (code, id) = (alice.Code(server.Step), NewId());

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => alice.VerifyAsync(code, requestId: id)));

        Assert.All(answers, answer => Assert.Equal(Verdict.Accepted, answer.Verdict));
        Assert.Equal(4, (await alice.VerifyAsync(code, requestId: NewId())).AttemptsRemaining);
    }

    [Fact]
    public async Task The_first_answer_stays_also_when_it_was_that_the_account_is_locked()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        await alice.FailAsync(times: 5);
        var (code, id) = (alice.Code(server.Step), NewId());

        Assert.Equal(Verdict.Locked, (await alice.VerifyAsync(code, requestId: id)).Verdict);
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(Verdict.Locked, (await alice.VerifyAsync(code, requestId: id)).Verdict);
    }

    [Fact]
    public async Task The_same_id_with_another_payload_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var id = NewId();
        await alice.VerifyAsync(alice.Code(server.Step), requestId: id);

        await Refused.AsAsync(StatusCode.InvalidArgument, "REQUEST_ID_REUSED", () => alice.VerifyAsync(alice.WrongCode(), requestId: id));
        await Refused.AsAsync(StatusCode.InvalidArgument, "REQUEST_ID_REUSED",
            () => alice.VerifyAsync(alice.Code(server.Step), enrollmentId: NewId(), requestId: id));
    }

    [Fact]
    public async Task Another_caller_with_the_same_id_asks_another_question()
    {
        await using var server = await TestServer.StartAsync();
        var alice = await EnrolledAccount.NewAsync(server);
        var request = new VerifyRequest { Account = alice.Name, Code = alice.Code(server.Step), RequestId = NewId() };

        Assert.Equal(Verdict.Accepted, (await server.Client.VerifyAsync(request, alice.Key)).Verdict);
        Assert.Equal(Verdict.Rejected, (await server.Client.VerifyAsync(request, await server.KeyAsync())).Verdict);
    }

    [Fact]
    public async Task The_answer_to_a_finished_enrollment_comes_again()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.KeyAsync();
        var pending = await server.Client.EnableAsync(new EnableRequest { Account = "alice", Method = Method.Authenticator }, key);
        var request = new VerifyRequest
        {
            Account = "alice",
            Code = Reference.Code(pending.Secret, server.Step),
            EnrollmentId = pending.EnrollmentId,
            RequestId = NewId(),
        };

        var first = await server.Client.VerifyAsync(request, key);

        Assert.Equal(Verdict.Accepted, first.Verdict);
        Assert.Equal(first, await server.Client.VerifyAsync(request, key));
    }

    private static long CountKept(TestServer server)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(server.Folder, "mfa.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM answers";
        return (long)command.ExecuteScalar()!;
    }

    private static string NewId() => Guid.NewGuid().ToString();
}
