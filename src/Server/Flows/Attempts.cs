namespace Mfa.Server.Flows;

internal static class Attempts
{
    /// <summary>
    /// How often a flow compares again after the enrollment it compared with was replaced under it. Lost races on the same
    /// enrollment do not count here: the store decides those again by itself.
    /// </summary>
    public const int Max = 3;
}
