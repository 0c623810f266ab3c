using System.Net.Sockets;

namespace Mfa.Server.Doctor;

/// <summary>The clock, by which every code of an authenticator app is right or wrong. The time zone plays no part.</summary>
internal static class ClockCheck
{
    /// <summary>More than a network adds: a clock that is kept by NTP is closer.</summary>
    public static readonly TimeSpan Small = TimeSpan.FromSeconds(1);

    /// <summary>A third of a step: with the tolerance of one step, owners whose own clock is off the other way are refused.</summary>
    public static readonly TimeSpan Large = TimeSpan.FromSeconds(10);

    public static async Task<Finding> OffsetAsync(string reference, TimeProvider clock, CancellationToken ct)
    {
        if (reference.Length == 0) return Finding.Warn("no reference to compare with.", "Name a time server: doctor:clock=pool.ntp.org");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(GatewayCheck.Timeout);
        try
        {
            return Judge(await TimeServer.OffsetAsync(reference, clock, limit.Token), reference);
        }
        catch (SocketException away)
        {
            return Finding.Fail($"{reference} cannot be reached ({away.SocketErrorCode}).", "Check doctor:clock, the name server and the firewall.");
        }
        catch (InvalidDataException unfit)
        {
            return Finding.Fail($"{reference}: {unfit.Message}", "Name a time server that knows the time: doctor:clock");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Finding.Fail($"{reference} does not answer within {GatewayCheck.Timeout.TotalSeconds} s.", "Check doctor:clock and the firewall (UDP port 123).");
        }
    }

    /// <param name="offset">How much the reference is ahead.</param>
    public static Finding Judge(TimeSpan offset, string reference)
    {
        var words = $"{Math.Abs(offset.TotalSeconds):F1} s {(offset >= TimeSpan.Zero ? "behind" : "ahead of")} {reference}.";
        const string Remedy = "Keep the clock by NTP (systemd-timesyncd or chrony).";
        return offset.Duration() >= Large ? Finding.Fail(words, $"{Remedy} Codes of authenticator apps are refused otherwise.")
            : offset.Duration() >= Small ? Finding.Warn(words, Remedy)
            : Finding.Ok(words);
    }
}
