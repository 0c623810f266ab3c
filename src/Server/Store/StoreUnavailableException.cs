namespace Mfa.Server.Store;

/// <summary>
/// The store did not answer or could not save. Nothing was saved, or it is not known to be; either way no verdict may be given.
/// </summary>
internal sealed class StoreUnavailableException(Exception cause) : Exception("The store is unavailable.", cause);
