using Grpc.Core;
using Mfa.Server.Tests.Services;
using Mfa.V1;

namespace Mfa.Server.Tests.Callers;

public sealed class PasswordGuessTests
{
    [Fact]
    public async Task Five_wrong_passwords_lock_the_name_for_a_minute_and_the_answer_does_not_tell()
    {
        await using var server = await TestServer.StartAsync();
        var jane = await server.PersonAsync("jane", "correct horse");
        var wrong = TestServer.Basic("jane", "correct horsf");
        for (var i = 0; i < 5; i++) await RefusedAsync(server, wrong);

        await RefusedAsync(server, jane);
        server.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(State.Disabled, (await server.Client.GetStatusAsync(new GetStatusRequest(), jane)).State);
    }

    [Fact]
    public async Task A_right_password_starts_the_count_over_and_leaves_the_count_of_codes_alone()
    {
        await using var server = await TestServer.StartAsync();
        var jane = await server.PersonAsync("jane", "correct horse");
        var wrong = TestServer.Basic("jane", "correct horsf");
        var account = await EnrolledAccount.NewAsync(server, "jane", jane);
        await account.FailAsync(times: 4);

        for (var i = 0; i < 4; i++) await RefusedAsync(server, wrong);
        await account.StatusAsync();
        for (var i = 0; i < 4; i++) await RefusedAsync(server, wrong);

        Assert.Equal(0, (await account.VerifyAsync(account.WrongCode())).AttemptsRemaining);
    }

    [Fact]
    public async Task Guessing_the_password_beside_a_mailed_token_voids_the_token()
    {
        await using var server = await TestServer.StartAsync();
        var jane = await server.PersonAsync("jane", "correct horse");
        await EnrolledAccount.NewAsync(server, "jane", jane);
        await server.Client.DisableAsync(new DisableRequest(), jane);
        Mail mail;
        do mail = await server.Mailbox.NextAsync();
        while (mail.Token.Length == 0);
        var confirm = new ConfirmDisableRequest { Token = mail.Token };

        for (var i = 0; i < 5; i++)
        {
            await Refused.AsAsync(StatusCode.Unauthenticated, "UNAUTHENTICATED",
                async () => await server.Client.ConfirmDisableAsync(confirm, TestServer.Basic("jane", "correct horsf")));
        }

        server.Clock.Advance(TimeSpan.FromMinutes(1));
        await Refused.AsAsync(StatusCode.PermissionDenied, "TOKEN_REFUSED", async () => await server.Client.ConfirmDisableAsync(confirm, jane));
    }

    private static Task<Google.Rpc.Status> RefusedAsync(TestServer server, Metadata credential) => Refused.AsAsync(
        StatusCode.Unauthenticated, "UNAUTHENTICATED", async () => await server.Client.GetStatusAsync(new GetStatusRequest(), credential));
}
