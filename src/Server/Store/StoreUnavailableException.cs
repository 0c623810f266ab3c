using Microsoft.Data.Sqlite;

namespace Mfa.Server.Store;

/// <summary>
/// The store did not answer or could not save. Nothing was saved, or it is not known to be; either way no verdict may be given.
/// </summary>
internal sealed class StoreUnavailableException(Exception cause) : Exception("The store is unavailable.", cause)
{
    /// <summary>Others were in the way: the same may go well a moment later.</summary>
    public bool IsBusy => InnerException is LostRaceException || InnerException is SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED };
}
