using System.Text.RegularExpressions;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Delivery;

/// <summary>Someone whose codes come in messages, and the service that asks for them.</summary>
internal sealed class Recipient
{
    private readonly ServerProcess _server;
    private readonly string _enrollmentId;

    private Recipient(ServerProcess server, string account, string to, string enrollmentId) =>
        (_server, Account, To, _enrollmentId) = (server, account, to, enrollmentId);

    public string Account { get; }

    /// <summary>The address or the number.</summary>
    public string To { get; }

    public static string NewAccount() => $"owner-{Guid.NewGuid():N}";

    /// <summary>Starts an enrollment, which sends a first code.</summary>
    public static Task<Recipient> EnableByMailAsync(ServerProcess server, string? account = null, string? email = null, string locale = "")
    {
        email ??= $"to-{Guid.NewGuid():N}@example.org";
        return EnableAsync(server, email, new EnableRequest { Account = account ?? NewAccount(), Method = Method.Email, Email = email, Locale = locale });
    }

    public static Task<Recipient> EnableBySmsAsync(ServerProcess server, string phone, string locale = "") =>
        EnableAsync(server, phone, new EnableRequest { Account = NewAccount(), Method = Method.Sms, Phone = phone, Locale = locale });

    /// <summary>The same, with another server of the same database to ask.</summary>
    public Recipient At(ServerProcess other) => new(other, Account, To, _enrollmentId);

    public Task<VerifyResponse> FinishAsync(string code) => _server.Dev.VerifyAsync(Account, code, _enrollmentId);

    /// <summary>Asks for another code for the enrollment, which voids the one before it.</summary>
    public async Task<GetTokenResponse> AskAsync() => GetTokenResponse.Parser.ParseFrom(
        await _server.Dev.SendAsync("GetToken", new GetTokenRequest { Account = Account, EnrollmentId = _enrollmentId }));

    /// <summary>How far the open code has got.</summary>
    public async Task<V1.Delivery> DeliveryAsync() => (await _server.Dev.GetStatusAsync(Account)).Delivery;

    /// <summary>Returns once the delivery is as asked for.</summary>
    public async Task<V1.Delivery> DeliveryAsync(Func<V1.Delivery, bool> isThere)
    {
        using var hang = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        hang.CancelAfter(TimeSpan.FromSeconds(75));
        while (true)
        {
            if (await DeliveryAsync() is { } delivery && isThere(delivery)) return delivery;
            await Task.Delay(100, hang.Token);
        }
    }

    private static async Task<Recipient> EnableAsync(ServerProcess server, string to, EnableRequest request)
    {
        server.Secrets.Add(to.TrimStart('+'));
        var reply = EnableResponse.Parser.ParseFrom(await server.Dev.SendAsync("Enable", request));
        server.Secrets.Add(reply.RecoveryCodes);
        return new Recipient(server, request.Account, to, reply.EnrollmentId);
    }
}

/// <summary>Codes, which are too short to be looked for as they are: six digits stand in longer numbers by chance.</summary>
internal static class CodesInLogs
{
    public static void AssertNone(ServerProcess server, params IEnumerable<string> codes)
    {
        var log = string.Join('\n', server.Lines);
        Assert.True(codes.All(code => !Regex.IsMatch(log, $"(?<![0-9A-Za-z]){code}(?![0-9A-Za-z])", RegexOptions.None, TimeSpan.FromSeconds(10))), "A code was printed.");
    }
}
