using System.Diagnostics;
using Mfa.Torture.Checking;
using Mfa.Torture.Faults;
using Mfa.Torture.Load;
using Mfa.V1;

namespace Mfa.Torture;

/// <summary>
/// Whether the time of a refusal tells how many leading digits were right (CC14): guesses with none to five of them, in random
/// order, and Welch's test of each class against the first. Needs a quiet machine; so it is no part of `make test`.
/// </summary>
internal static class Timing
{
    private const int Classes = 6;

    /// <summary>Wrong codes in a row that are still looked at: one less than the longest run the settings allow.</summary>
    private const int GuessesAnAccount = 9;

    /// <summary>Of five comparisons, one in a hundred runs may fail by chance.</summary>
    private const double Significant = 0.01 / (Classes - 1);

    public static async Task<bool> RunAsync(string program, string folder, int callsAClass, Chance chance)
    {
        var rules = new Rules { Run = 10, PeriodSeconds = 30, ToleranceSteps = 0, Cap = 100 };
        await using var target = new Target(program, folder, [.. rules.Settings, "log:level=Error"], []);
        await target.StartAsync();
        var (_, client, key) = await target.ConnectedAsync();
        var times = Enumerable.Range(0, Classes).Select(_ => new List<double>()).ToArray();
        for (var account = 0; times.Sum(t => t.Count) < Classes * callsAClass; account++)
        {
            var started = await client.EnableAsync(new EnableRequest { Account = $"t{account}", Method = Method.Authenticator }, key);
            var secret = Totp.Decode(started.Secret);
            await client.VerifyAsync(new VerifyRequest { Account = started.Account, EnrollmentId = started.EnrollmentId, Code = Code(secret, target, rules) }, key);
            for (var guess = 0; guess < GuessesAnAccount; guess++)
            {
                var right = chance.Next(Classes);
                var request = new VerifyRequest { Account = started.Account, Code = Nearly(Code(secret, target, rules), right) };
                var start = Stopwatch.GetTimestamp();
                var reply = await client.VerifyAsync(request, key);
                times[right].Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
                if (reply.Verdict != Verdict.Rejected) throw new InvalidOperationException($"A guess was {reply.Verdict}: nothing is measured.");
            }
        }

        return Report(times);
    }

    private static bool Report(List<double>[] times)
    {
        var alike = true;
        var first = Trimmed(times[0]);
        for (var right = 0; right < Classes; right++)
        {
            var own = Trimmed(times[right]);
            var p = right == 0 ? 1 : Welch(first, own);
            alike &= p >= Significant;
            Console.WriteLine($"digits={right} calls={times[right].Count} mean_us={own.Average():F1} p={p:F4}");
        }

        return alike;
    }

    /// <summary>Without the slowest twentieth, which the machine's other work made.</summary>
    private static double[] Trimmed(List<double> times) => [.. times.Order().Take(times.Count * 19 / 20)];

    /// <summary>The two-sided probability of such a difference by chance; with thousands of calls t is as good as normal.</summary>
    private static double Welch(double[] a, double[] b)
    {
        var (meanA, meanB) = (a.Average(), b.Average());
        var error = Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) / a.Length / (a.Length - 1) + b.Sum(x => (x - meanB) * (x - meanB)) / b.Length / (b.Length - 1));
        var z = Math.Abs(meanA - meanB) / error / Math.Sqrt(2);
        // Abramowitz and Stegun 7.1.26: erfc to seven digits.
        var t = 1 / (1 + 0.3275911 * z);
        return t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.Exp(-z * z);
    }

    private static string Code(byte[] secret, Target target, Rules rules) => Totp.Code(secret, target.Now / 1000 / rules.PeriodSeconds);

    /// <summary>The first digits of the code, and then others.</summary>
    private static string Nearly(string code, int right) =>
        string.Concat(code.Select((digit, i) => i < right ? digit : (char)('0' + (digit - '0' + 5) % 10)));
}
