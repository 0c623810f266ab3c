using Mfa.V1;

namespace Mfa.Bench;

/// <summary>What is sent, and the only answer that counts as one.</summary>
internal enum Workload
{
    /// <summary>Each call the first use of a right code.</summary>
    Right,

    /// <summary>Codes of long ago, on accounts in turn. With many accounts few get locked; an account that is counts as refused too.</summary>
    Wrong,

    /// <summary>Codes that were accepted before.</summary>
    Replay,

    /// <summary>90 right, 8 wrong and 2 new enrollments of 100.</summary>
    Mixed,
}

internal static class Workloads
{
    public static async Task CallAsync(this Workload workload, MfaService.MfaServiceClient client, Accounts accounts, int number, bool echo)
    {
        var kind = workload is not Workload.Mixed ? workload : (number % 100) switch { < 2 => Workload.Mixed, < 10 => Workload.Wrong, _ => Workload.Right };
        if (kind is Workload.Mixed)
        {
            var enrolled = await client.EnableAsync(accounts.NextEnrolment(), accounts.Key);
            Expect.That(echo || enrolled.RecoveryCodes.Count == 8, "an enrollment without recovery codes");
            return;
        }

        // The echo keeps nothing, so any code will do: it must not wait for fresh ones.
        var request = echo ? accounts.NextWrong() : kind switch
        {
            Workload.Right => accounts.NextRight(),
            Workload.Replay => accounts.NextReplay(),
            _ => accounts.NextWrong(),
        };
        var answer = await client.VerifyAsync(request, accounts.Key);
        if (echo) Expect.That(answer.Verdict is Verdict.Accepted, $"the echo said {answer.Verdict}");
        else kind.Check(request, answer, accounts);
    }

    public static void Check(this Workload kind, VerifyRequest request, VerifyResponse answer, Accounts accounts)
    {
        var expected = answer.Verdict switch
        {
            Verdict.Accepted => kind is Workload.Right || (kind is Workload.Wrong && accounts.StepsWith(request) > 0),
            Verdict.Rejected => kind is not Workload.Right || accounts.StepsWith(request) > 1,
            Verdict.Locked => kind is not Workload.Right,
            _ => false,
        };
        Expect.That(expected, $"{kind} got {answer.Verdict}");
    }
}
