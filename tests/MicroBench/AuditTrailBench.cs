using System.Diagnostics;
using System.Globalization;
using Mfa.Server;
using Mfa.Server.Domain;
using Mfa.Server.Store;

namespace Mfa.MicroBench;

/// <summary>`MicroBench audit ROWS`: makes a trail of so many rows, as the server writes them, and times what operators ask of it.</summary>
internal static class AuditTrailBench
{
    private const int Accounts = 200_000;
    private const int RowsPerCommit = 500;
    private const int RowsPerCheckpoint = 50_000;

    public static async Task RunAsync(int rows)
    {
        using var folder = new BenchFolder();
        using var data = await DataFolder.OpenAsync(folder.Path, TimeProvider.System);
        var start = TimeProvider.System.GetUtcNow().AddDays(-100);
        var appending = Stopwatch.StartNew();
        for (var i = 0; i < rows; i += RowsPerCommit) await AppendAsync(data.Store, start, i);
        Print("append", appending.Elapsed.TotalMicroseconds / rows, "us a row");
        appending.Restart();
        while (await data.Store.WriteAsync(AuditSegments.AddNext))
        {
        }

        Print("finding aid", appending.Elapsed.TotalMicroseconds / rows, "us a row");
        Print("size", new FileInfo(Path.Combine(folder.Path, "mfa.db")).Length / (double)rows, "bytes a row");

        var middle = start + TimeSpan.FromDays(50);
        (string, AuditFilter)[] questions =
        [
            ("newest", new AuditFilter()),
            ("account", new AuditFilter(Account: new AccountKey("default", NameOf(4711)))),
            ("account that is not there", new AuditFilter(Account: new AccountKey("default", "nobody"))),
            ("account, one outcome", new AuditFilter(Account: new AccountKey("default", NameOf(4711)), Outcome: AuditOutcome.Locked)),
            ("caller", new AuditFilter(Caller: "service:shop-1")),
            ("rare caller", new AuditFilter(Caller: "service:rare")),
            ("outcome", new AuditFilter(Outcome: AuditOutcome.Rejected)),
            ("rare outcome", new AuditFilter(Outcome: AuditOutcome.GivenUp)),
            ("caller, rare outcome", new AuditFilter(Caller: "service:shop-1", Outcome: AuditOutcome.GivenUp)),
            ("a minute of long ago", new AuditFilter(Since: middle, Until: middle.AddMinutes(1))),
            ("caller of long ago", new AuditFilter(Caller: "service:shop-1", Until: middle)),
        ];
        foreach (var (name, filter) in questions)
        {
            var times = new List<double>();
            var found = 0;
            for (var i = 0; i < 7; i++)
            {
                var once = Stopwatch.StartNew();
                found = data.Store.Trail.Find(filter, limit: 100).Count;
                times.Add(once.Elapsed.TotalMilliseconds);
            }

            Print($"list: {name}", times.Order().ElementAt(3), $"ms, {found} rows");
        }

        var walking = Stopwatch.StartNew();
        var report = data.Store.Trail.Verify(after: null, outside: null, _ => { });
        if (report.Damage.Count > 0) throw new InvalidOperationException($"The trail is not whole: {report.Damage[0]}");
        Print("verify", walking.Elapsed.TotalSeconds, "s");
    }

    private static Task<bool> AppendAsync(IStore store, DateTimeOffset start, int first) => store.WriteAsync(session =>
    {
        for (var i = first; i < first + RowsPerCommit; i++) session.Audit(Row(start, i));
        if (first % RowsPerCheckpoint == 0) session.Trail.Mark(session, start);
        return true;
    });

    /// <summary>Nine of ten are accepted; one in a million is of each rare kind.</summary>
    private static AuditEntry Row(DateTimeOffset start, int i)
    {
        var account = (int)((uint)i * 2654435761u % Accounts);
        var caller = i % 1_000_000 == 500_000 ? "service:rare" : $"service:shop-{i % 3}";
        return new AuditEntry(start.AddMilliseconds(i * 864.0), AuditAct.Verify, new AuditCaller(caller, "192.0.2.7"), new AccountKey("default", NameOf(account)))
        {
            Outcome = i % 1_000_000 == 700_000 ? AuditOutcome.GivenUp : i % 10 == 0 ? AuditOutcome.Rejected : AuditOutcome.Accepted,
            Reason = i % 10 == 0 ? AuditReason.Wrong : AuditReason.None,
            Factor = ProvenBy.Authenticator,
            Reference = new Guid(i, 0, 0, new byte[8]),
        };
    }

    private static string NameOf(int account) => $"owner-{account:x8}@example.org";

    private static void Print(string what, double figure, string unit) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-28} {figure,10:F2} {unit}"));
}
