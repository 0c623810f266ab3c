namespace Mfa.Server.Domain;

/// <summary>How many messages may go out in one window of time.</summary>
/// <param name="Name">What callers are told: which limit refused them.</param>
/// <param name="Subject">What is counted, as a keyed hash: an account, a destination, a caller, or empty for all.</param>
/// <param name="Window">Counts start anew when the next window begins; windows are aligned to the Unix epoch.</param>
/// <param name="Most">Messages a window.</param>
/// <param name="Gap">Time that must pass between two messages, whatever the window; zero for none.</param>
internal sealed record SendLimit(string Name, byte[] Subject, TimeSpan Window, int Most, TimeSpan Gap)
{
    public DateTimeOffset WindowStart(DateTimeOffset now) =>
        DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds() / (long)Window.TotalMilliseconds * (long)Window.TotalMilliseconds);

    /// <returns>When the next message may go out; null when it may now.</returns>
    public DateTimeOffset? RetryTime(int sentInWindow, DateTimeOffset? lastTime, DateTimeOffset now)
    {
        if (sentInWindow >= Most) return WindowStart(now) + Window;
        return lastTime + Gap > now ? lastTime + Gap : null;
    }
}

/// <summary>The limit that refused a message, and when to come back.</summary>
internal sealed record SendLimitHit(string Name, DateTimeOffset RetryTime);
