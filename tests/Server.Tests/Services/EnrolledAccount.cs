using Grpc.Core;
using Mfa.V1;

namespace Mfa.Server.Tests.Services;

/// <summary>An account that a test has enrolled, with the secrets that its owner got.</summary>
internal sealed class EnrolledAccount
{
    private readonly TestServer _server;

    private EnrolledAccount(TestServer server, Metadata key, EnableResponse enrollment) => (_server, Key, Enrollment) = (server, key, enrollment);

    public Metadata Key { get; }

    public EnableResponse Enrollment { get; }

    public string Name => Enrollment.Account;

    /// <summary>Enrols, proves with the code of the step before this one, and leaves this and the next step's codes unused.</summary>
    public static async Task<EnrolledAccount> NewAsync(TestServer server, string name = "alice", Metadata? key = null)
    {
        key ??= await server.KeyAsync();
        var pending = await server.Client.EnableAsync(new EnableRequest { Account = name, Method = Method.Authenticator }, key);
        var account = new EnrolledAccount(server, key, pending);
        var proven = await account.VerifyAsync(account.Code(server.Step - 1), pending.EnrollmentId);
        Assert.Equal(Verdict.Accepted, proven.Verdict);
        return account;
    }

    public string Code(long step) => Reference.Code(Enrollment.Secret, step);

    /// <summary>Six digits that are no code of any step around now.</summary>
    public string WrongCode()
    {
        var codes = Enumerable.Range(-3, 7).Select(offset => Code(_server.Step + offset)).ToHashSet();
        return Enumerable.Range(0, 10).Select(n => new string((char)('0' + n), 6)).First(code => !codes.Contains(code));
    }

    public async Task<VerifyResponse> VerifyAsync(string code, string enrollmentId = "", string requestId = "") =>
        await _server.Client.VerifyAsync(
            new VerifyRequest { Account = Name, Code = code, EnrollmentId = enrollmentId, RequestId = requestId }, Key);

    public async Task<GetStatusResponse> StatusAsync() => await _server.Client.GetStatusAsync(new GetStatusRequest { Account = Name }, Key);

    public async Task FailAsync(int times)
    {
        for (var i = 0; i < times; i++) Assert.Equal(Verdict.Rejected, (await VerifyAsync(WrongCode())).Verdict);
    }
}
