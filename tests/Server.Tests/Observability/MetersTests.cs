using System.Diagnostics.Metrics;
using Mfa.Server.Domain;
using Mfa.Server.Observability;

namespace Mfa.Server.Tests.Observability;

public sealed class MetersTests
{
    [Fact]
    public void Counting_a_verdict_takes_no_memory()
    {
        using var meters = new Meters();
        Count();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Count();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Count()
        {
            meters.Verdict(ProvenBy.Authenticator, CheckKind.Accepted);
            meters.Compared(Guessing.Verify, CheckKind.Wrong);
            meters.Shut(Door.Factor, blocked: false);
        }
    }

    [Fact]
    public void Every_kind_of_verdict_has_a_series_of_its_own_from_the_start()
    {
        using var meters = new Meters();
        var told = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters) && instrument.Name == "mfa.verdicts") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) => told.Add(string.Join(' ', tags.ToArray().Select(tag => tag.Value)), count));
        listener.Start();

        foreach (var factor in Enum.GetValues<ProvenBy>().Where(f => f != ProvenBy.Unspecified))
        {
            foreach (var kind in Enum.GetValues<CheckKind>().Where(k => k != CheckKind.Stale)) meters.Verdict(factor, kind);
        }

        listener.RecordObservableInstruments();
        Assert.Equal(4 * 6, told.Count);
        Assert.All(told.Values, count => Assert.Equal(1, count));
        Assert.Contains("recovery_code locked", told.Keys);
        Assert.Contains("sms expired", told.Keys);
    }
}
