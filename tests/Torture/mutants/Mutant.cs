using System.Collections.Concurrent;

// Copied into a copy of the server's sources, for the checker to be tested with. Never part of the product.
namespace Mfa.Server;

/// <summary>The ways in which this build is wrong; MUTANT chooses one.</summary>
internal static class Mutant
{
    private static readonly string? Chosen = Environment.GetEnvironmentVariable("MUTANT");

    private static readonly ConcurrentDictionary<Guid, long> Steps = [];

    public static bool SavesUnconditionally => Chosen == "unconditional-write";

    public static bool AnswersEarly => Chosen == "early-answer";

    public static bool DoesNotSync => Chosen == "unsynced";

    /// <summary>The save does not look at the version: a decision on an old state overwrites a newer one.</summary>
    public static string Guard(string sql) => SavesUnconditionally ? sql.Replace("version = ?3", "?3 IS NOT NULL", StringComparison.Ordinal) : sql;

    /// <summary>The last accepted step is kept in memory and not in the database.</summary>
    public static long? Saved(Guid? enrollment, long? step)
    {
        if (Chosen != "step-in-memory" || enrollment is not { } id || step is not { } accepted) return step;
        Steps[id] = accepted;
        return 0;
    }

    public static long Loaded(Guid enrollment, long step) => Chosen == "step-in-memory" ? Steps.GetValueOrDefault(enrollment) : step;
}
