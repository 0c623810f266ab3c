namespace Mfa.Torture;

/// <summary>The load's clock, which nobody moves.</summary>
internal static class Clock
{
    public static long Microseconds() => TimeProvider.System.GetUtcNow().Ticks / 10 - DateTimeOffset.UnixEpoch.Ticks / 10;
}
