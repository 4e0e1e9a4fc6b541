export interface FitRequest {
  readonly path: string;
  readonly contextSize: number;
  readonly sequences: number;
}
export interface Fit {
  readonly fits: boolean;
  /** Not even with all other memory freed. */
  readonly never: boolean;
  readonly needed: number;
  readonly available: number;
  readonly parts: {
    readonly weights: number;
    readonly cache: number;
    readonly compute: number;
    readonly base: number;
  };
}
/** Estimate against what the system says is available (RAM only). */
export declare function checkFit(request: FitRequest): Promise<Fit>;
/** Throws `out-of-memory` with the figures unless `force`. */
export declare function assertFits(
  request: FitRequest,
  options: { readonly provider: string; readonly force: boolean },
): Promise<Fit>;
