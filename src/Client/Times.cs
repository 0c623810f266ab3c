using Google.Protobuf.WellKnownTypes;

namespace Mfa.Client;

/// <summary>Times as RFC 3339 in UTC, the same for people and for programs.</summary>
internal static class Times
{
    /// <returns>Null when the time is unset, or is none that a calendar has.</returns>
    public static string? Rfc3339(Timestamp? time)
    {
        if (time is null) return null;
        try
        {
            return time.ToDateTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'");
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
