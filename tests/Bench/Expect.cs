namespace Mfa.Bench;

/// <summary>A figure of calls that went wrong is worse than none: the run ends without a report.</summary>
internal sealed class RefusedToReportException(string why) : Exception($"{why}: nothing is reported.");

internal static class Expect
{
    public static void That(bool holds, string otherwise)
    {
        if (!holds) throw new RefusedToReportException(otherwise);
    }
}
