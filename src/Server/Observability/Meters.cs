using System.Diagnostics.Metrics;
using Mfa.Server.Domain;

namespace Mfa.Server.Observability;

/// <summary>
/// What is counted for operators; docs/operations.md lists it. No tag names a caller or an account: those come without end, and
/// are nobody's business who may look at a dashboard.
/// </summary>
internal sealed class Meters : IDisposable
{
    public const string Name = "Mfa.Server";

    private static readonly string[] Factors = ["", "email", "authenticator", "sms", "recovery_code"]; // by ProvenBy; none is never told
    private static readonly string[] Outcomes = ["wrong", "accepted", "used", "locked", "blocked", "", "expired"]; // by CheckKind; a stale one is no verdict
    private static readonly string[] Calls = ["verify", "enable", "regenerate_recovery_codes", "confirm_disable"]; // by Guessing
    private static readonly string[] Doors = ["factor", "recovery_code", "enrollment", "password"]; // by Door

    private static readonly string[] Limits = ["calls", "guesses", "spray", "failures", "passwords"];
    private static readonly string[] Sources = ["service", "people", "everybody"];

    private readonly Meter _meter;
    private readonly Counter<long> _limited;
    private readonly Counter<long> _sprays;
    private readonly Counter<long> _sends;
    private readonly Counter<long> _givenUp;
    private readonly Histogram<double> _commitTime;
    private readonly Histogram<int> _commitGroup;
    private readonly Tally _verdicts = new("factor", Factors, "outcome", Outcomes);
    private readonly Tally _guesses = new("call", Calls);
    private readonly Tally _locks = new("door", Doors, "until", ["time", "enrollment"]);
    private readonly Tally _passwords = new("outcome", ["wrong", "right"]);
    private readonly Tally _unavailable = new("reason", ["store"]);

    public Meters()
    {
        _meter = new Meter(new MeterOptions(Name) { Scope = this }); // the scope tells servers of one process apart
        _verdicts.Observe(_meter, "mfa.verdicts", "{verdict}", "Answers of Verify, by what was checked and how it ended. A repeated answer counts once.");
        _guesses.Observe(_meter, "mfa.guesses", "{guess}", "Codes and tokens that were compared and did not count, by the call that brought them.");
        _locks.Observe(_meter, "mfa.locks", "{lock}", "Doors that wrong codes or passwords shut, by door and by what opens them again.");
        _passwords.Observe(_meter, "mfa.passwords", "{password}", "Passwords of people that were compared, by outcome.");
        _unavailable.Observe(_meter, "mfa.unavailable", "{call}", "Calls answered UNAVAILABLE because nothing could be saved or read.");
        _limited = _meter.CreateCounter<long>("mfa.callers.limited", "{call}", "Calls answered CALLER_LIMIT, by limit.");
        _sprays = _meter.CreateCounter<long>("mfa.sprays", "{episode}", "Sprays of wrong codes noticed, by source.");
        _sends = _meter.CreateCounter<long>("mfa.sends", "{attempt}", "Attempts to hand a message to a provider, by channel, provider and outcome.");
        _givenUp = _meter.CreateCounter<long>("mfa.messages.given_up", "{message}", "Messages that no provider took in time, by channel.");
        _commitTime = _meter.CreateHistogram("mfa.store.commit.duration", "s", "How long a commit took, sync included.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2] });
        _commitGroup = _meter.CreateHistogram("mfa.store.commit.group", "{write}", "How many callers' writes one commit made durable.", tags: null,
            new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] });
    }

    /// <summary>
    /// Makes the rarer counters begin at zero, so that their first event shows as a rise. Once somebody listens: what is counted
    /// before goes nowhere.
    /// </summary>
    public void Begin(IEnumerable<(Channel Channel, string Provider)> providers)
    {
        foreach (var limit in Limits) _limited.Add(0, KeyValuePair.Create<string, object?>("limit", limit));
        foreach (var source in Sources) _sprays.Add(0, KeyValuePair.Create<string, object?>("source", source));
        foreach (var (channel, provider) in providers)
        {
            Sent(channel, provider, "taken", 0);
            Sent(channel, provider, "failed", 0);
        }

        foreach (var channel in new[] { Channel.Email, Channel.Sms }) _givenUp.Add(0, KeyValuePair.Create<string, object?>("channel", NameOf(channel)));
    }

    /// <summary>Costs some nanoseconds and no memory: it comes with every verdict.</summary>
    public void Verdict(ProvenBy factor, CheckKind kind) => _verdicts.Add((int)factor, (int)kind);

    /// <summary>To be told of every code or token that was compared.</summary>
    public void Compared(Guessing call, CheckKind kind)
    {
        if (kind is CheckKind.Wrong or CheckKind.Used or CheckKind.Expired) _guesses.Add((int)call);
    }

    public void Shut(Door door, bool blocked) => _locks.Add((int)door, blocked ? 1 : 0);

    public void Password(bool right) => _passwords.Add(right ? 1 : 0);

    public void StoreUnavailable() => _unavailable.Add(0);

    /// <param name="limit">The name that the caller is told, too.</param>
    public void Limited(string limit) => _limited.Add(1, KeyValuePair.Create<string, object?>("limit", limit));

    public void Sprayed(string source) => _sprays.Add(1, KeyValuePair.Create<string, object?>("source", source));

    public void Sent(Channel channel, string provider, bool taken) => Sent(channel, provider, taken ? "taken" : "failed", 1);

    public void GivenUp(Channel channel) => _givenUp.Add(1, KeyValuePair.Create<string, object?>("channel", NameOf(channel)));

    public void Committed(int writes, TimeSpan took)
    {
        _commitTime.Record(took.TotalSeconds);
        _commitGroup.Record(writes);
    }

    /// <summary>A figure that is counted now and then in the background, and told as it was last.</summary>
    public void Gauge(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableGauge(name, read, unit, description);

    public void Dispose() => _meter.Dispose();

    private void Sent(Channel channel, string provider, string outcome, int count) => _sends.Add(count,
        KeyValuePair.Create<string, object?>("channel", NameOf(channel)), KeyValuePair.Create<string, object?>("provider", provider),
        KeyValuePair.Create<string, object?>("outcome", outcome));

    private static string NameOf(Channel channel) => channel switch
    {
        Channel.Email => "email",
        Channel.Sms => "sms",
        Channel.Unspecified => "none",
    };
}

/// <summary>The calls that codes and tokens can be guessed with.</summary>
internal enum Guessing
{
    Verify,
    Enable,
    RegenerateRecoveryCodes,
    ConfirmDisable,
}

/// <summary>What has a budget of guesses.</summary>
internal enum Door
{
    Factor,
    RecoveryCode,
    Enrollment,
    Password,
}
