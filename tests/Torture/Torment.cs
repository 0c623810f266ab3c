using Mfa.Torture.Checking;
using Mfa.Torture.Faults;
using Mfa.Torture.History;
using Mfa.Torture.Load;

namespace Mfa.Torture;

/// <summary>What was done so far, and what came of it.</summary>
internal sealed class Figures
{
    public int Rounds { get; set; }

    public int Events { get; set; }

    public int Verdicts { get; set; }

    public int Unknown { get; set; }

    public int Accounts { get; set; }

    public int Cut { get; set; }

    public SortedDictionary<string, int> Faults { get; } = [];

    public List<string> Violations { get; } = [];

    public void Add(Report report)
    {
        Rounds++;
        Events += report.Events;
        Verdicts += report.Verdicts;
        Unknown += report.Unknown;
        Accounts += report.Accounts;
        Cut += report.Cut;
        Violations.AddRange(report.Violations);
    }

    public override string ToString() =>
        $"rounds={Rounds} calls={Events} verdicts={Verdicts} unknown={Unknown} accounts={Accounts} cut={Cut} " +
        string.Join(' ', Faults.Select(fault => $"{fault.Key}={fault.Value}")) + $" faults={Faults.Values.Sum()} violations={Violations.Count}";
}

/// <summary>Rounds of load and faults on one server, each with a history of its own that is checked at its end.</summary>
internal sealed class Torment(string program, string folder, int seed, Dictionary<string, string>? environment = null)
{
    private const int Workers = 8;

    /// <summary>Between two faults: on a slow machine a server must get to do something before it is struck again.</summary>
    private const int AnswersBetweenFaults = 60;

    /// <summary>Far more than any answer takes; only a server that hangs gets here.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>One key does everything here, and much of what it sends is wrong: its quota must not stand before the rules that are checked.</summary>
    internal static readonly string[] Unlimited =
        ["quota:callsPerSecond=0", "quota:guessesPerSecond=0", "spray:wrong=10000000", "spray:total=100000000"];

    internal static readonly Rules Rules = new();

    /// <summary>Limits on sending would hide what is looked for; notices would fill the mailbox.</summary>
    internal static readonly string[] Settings =
    [
        .. Rules.Settings, "sends:gapSeconds=0", "sends:perAccountHour=1000", "sends:perDestinationDay=10000", "sends:perCallerDay=10000000",
        "sends:perDay=100000000", "messages:mute=enabled,replaced,disabled,recovery-used,recovery-low,locked", "log:level=Warning",
    ];

    private readonly Chance _chance = new(seed);

    public Figures Figures { get; } = new();

    /// <summary>Runs rounds until the time is over or a rule was broken.</summary>
    /// <param name="faults">Drawn from at random, after each was drawn once.</param>
    public async Task RunAsync(TimeSpan time, TimeSpan round, IReadOnlyList<IFault> faults, Action<string> progress)
    {
        var end = TimeProvider.System.GetTimestamp();
        var left = new Queue<IFault>(faults.DistinctBy(fault => fault.Name));
        await using var target = new Target(program, folder, Settings, environment ?? []);
        await target.StartAsync();
        while (TimeProvider.System.GetElapsedTime(end) < time && Figures.Violations.Count == 0)
        {
            var rest = time - TimeProvider.System.GetElapsedTime(end);
            await RoundAsync(target, rest < round ? rest : round, faults, left);
            progress(Figures.ToString());
        }
    }

    private async Task RoundAsync(Target target, TimeSpan time, IReadOnlyList<IFault> faults, Queue<IFault> left)
    {
        var path = Path.Combine(folder, $"history-{Figures.Rounds:D4}.jsonl");
        using (var history = new HistoryFile(path))
        {
            history.Add(new Line(Clock: await target.LookAtClockAsync()));
            var mailbox = new Mailbox(Path.Combine(target.Data, "outbox"));
            var client = new Client(target, history);
            var workers = Enumerable.Range(0, Workers).Select(i => new Worker($"r{Figures.Rounds}-w{i}", client, mailbox, target, Rules, _chance.Fork())).ToArray();
            using var end = new CancellationTokenSource();
            var start = TimeProvider.System.GetTimestamp();
            var load = workers.Select(worker => Task.Run(() => worker.RunAsync(end.Token))).ToArray();
            while (TimeProvider.System.GetElapsedTime(start) < time || left.Count > 0)
            {
                await Task.Delay(_chance.Next(200, 2_500));
                await AnsweredAsync(history);
                var fault = left.TryDequeue(out var next) ? next : faults[_chance.Next(faults.Count)];
                await fault.StrikeAsync(target, history, _chance);
                Figures.Faults[fault.Name] = Figures.Faults.GetValueOrDefault(fault.Name) + 1;
            }

            await AnsweredAsync(history); // also after the last fault
            await end.CancelAsync();
            await Task.WhenAll(load);
            await Task.WhenAll(workers.Select(worker => worker.LookBackAsync(client)));
        }

        Figures.Add(new Checker(Rules).Check(HistoryFile.Read(path)));
        if (Figures.Violations.Count == 0) File.Delete(path);
    }

    private static async Task AnsweredAsync(HistoryFile history)
    {
        var (before, start) = (history.Answers, TimeProvider.System.GetTimestamp());
        while (history.Answers < before + AnswersBetweenFaults)
        {
            await Task.Delay(10);
            if (TimeProvider.System.GetElapsedTime(start) > Patience) throw new TimeoutException("The server does not answer any more.");
        }
    }
}
