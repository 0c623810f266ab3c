using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd.Calls;

/// <summary>The owner of an account that is enrolled: what Enable told, and the app that computes the codes.</summary>
internal sealed class Owner
{
    private readonly string[] _codes;

    private Owner(string account, EnableResponse enrolled, long firstStep, string[] codes) =>
        (Account, Enrolled, FirstStep, _codes) = (account, enrolled, firstStep, codes);

    public string Account { get; }

    public EnableResponse Enrolled { get; }

    public Authenticator App => new(Enrolled.Secret);

    /// <summary>The step of the code that finished the enrollment.</summary>
    public long FirstStep { get; }

    /// <summary>The code that finished the enrollment: used up.</summary>
    public string UsedCode => _codes[0];

    /// <summary>The code of the step after: not used yet, and good for at least one whole step.</summary>
    public string NextCode => _codes[1];

    /// <summary>The code of the second step after, which the server takes once the first step is over.</summary>
    public string LaterCode => _codes[2];

    public string[] RecoveryCodes => [.. Enrolled.RecoveryCodes];

    public static string NewAccount() => $"owner-{Guid.NewGuid():N}@example.org";

    /// <param name="firstStep">Which step finishes the enrollment; the current one when not given.</param>
    public static async Task<Owner> EnrolAsync(Caller caller, string? account = null, long? firstStep = null)
    {
        account ??= NewAccount();
        return await FinishAsync(caller, account, await caller.EnableAsync(account), firstStep);
    }

    /// <summary>Finishes an enrollment that was started.</summary>
    public static async Task<Owner> FinishAsync(Caller caller, string account, EnableResponse started, long? firstStep = null)
    {
        var step = firstStep ?? Authenticator.Step;
        var codes = await new Authenticator(started.Secret).CodesAsync(step, 3);
        var reply = await caller.VerifyAsync(account, codes[0], started.EnrollmentId);
        Assert.Equal(Verdict.Accepted, reply.Verdict);
        return new Owner(account, started, step, codes);
    }

    /// <summary>The whole way once more with an account of its own: whatever was done to the server, it serves.</summary>
    public static async Task AssertServedAsync(Caller caller)
    {
        var owner = await EnrolAsync(caller);
        var reply = await caller.VerifyAsync(owner.Account, owner.NextCode);
        Assert.Equal(Verdict.Accepted, reply.Verdict);
    }
}
