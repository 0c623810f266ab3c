using System.Globalization;

namespace Mfa.Bench;

/// <summary>
/// What a billion accounts and 100,000 verifications a second take, from measured sizes: the arithmetic of docs/scaling.md; and, drawn
/// by chance, how evenly accounts and the busiest second fall on shards, and what a failover of one of them costs.
/// </summary>
internal static class Simulation
{
    // Measured on PostgreSQL 15 with all indexes, see docs/scaling.md.
    private const double AccountBytes = 683, AuditBytes = 299, AnswerBytes = 317;

    private const double Accounts = 1e9, Rate = 1e5, PeakOverMean = 4, AuditDays = 90, AnswerMinutes = 10, Copies = 2;
    private const double ShardRate = 4_000, ServerRate = 5_000, FailoverSeconds = 10, Use = 0.5;

    public static void Print()
    {
        var perDay = Rate / PeakOverMean * 86_400;
        var shards = (int)Math.Ceiling(Rate / (ShardRate * Use));
        var servers = (int)Math.Ceiling(Rate / (ServerRate * Use)) + 1;
        var accounts = Accounts * AccountBytes;
        var audit = perDay * AuditDays * AuditBytes;
        var answers = Rate * AnswerMinutes * 60 * AnswerBytes;
        Row("accounts", $"{Accounts:N0} rows, {accounts / 1e9:N0} GB");
        Row("audit", $"{perDay * AuditDays:N0} rows in {AuditDays:N0} days, {audit / 1e12:N1} TB");
        Row("answers", $"{Rate * AnswerMinutes * 60:N0} rows at most, {answers / 1e9:N0} GB");
        Row("shards", $"{shards}, each {Accounts / shards:N0} accounts, {(accounts + audit + answers) / shards / 1e9:N0} GB, {Rate / shards:N0}/s");
        Row("with copies", $"{shards * Copies:N0} databases, {(accounts + audit + answers) * Copies / 1e12:N1} TB");
        Row("servers", $"{servers}, one of them to spare");
        var (fewest, most, busiest) = Spread(shards);
        Row("fewest and most accounts of a shard", $"{fewest:P2} and {most:P2} of the mean");
        Row("busiest second of a shard in ten minutes", $"{busiest:N0} verifications");
        Row("failover of one shard", $"{FailoverSeconds:N0} s: {Rate / shards * FailoverSeconds:N0} of {Rate * FailoverSeconds:N0} calls wait or end UNAVAILABLE, {1.0 / shards:P1}");
    }

    /// <summary>A million accounts by hash, and ten minutes of verifications, each second's by chance.</summary>
    private static (double Fewest, double Most, long Busiest) Spread(int shards)
    {
        var state = 1UL;
        var counts = new long[shards];
        for (var i = 0; i < 1_000_000; i++) counts[Next(ref state) % (ulong)shards]++;
        long busiest = 0;
        var second = new long[shards];
        for (var s = 0; s < 600; s++)
        {
            Array.Clear(second);
            for (var i = 0; i < (int)Rate; i++) second[Next(ref state) % (ulong)shards]++;
            busiest = Math.Max(busiest, second.Max());
        }

        var mean = 1_000_000.0 / shards;
        return (counts.Min() / mean, counts.Max() / mean, busiest);
    }

    /// <summary>SplitMix64: the same chance in every run.</summary>
    private static ulong Next(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private static void Row(string name, FormattableString value) => Console.WriteLine($"| {name} | {value.ToString(CultureInfo.InvariantCulture)} |");
}
