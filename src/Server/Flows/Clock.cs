namespace Mfa.Server.Flows;

internal static class Clock
{
    /// <summary>Now, to the millisecond: what is told must equal what is stored.</summary>
    public static DateTimeOffset Read(this TimeProvider clock) =>
        DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
}
