namespace Mfa.Server.Store;

/// <summary>Others saved first what was decided on, again and again. Nothing was saved, and the call can be repeated.</summary>
internal sealed class LostRaceException() : Exception("Somebody else saved it first.");
