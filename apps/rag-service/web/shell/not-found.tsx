import { Link } from "../router.tsx";

export function NotFound() {
  return (
    <div className="page">
      <h1 className="page-title">There is nothing at this address</h1>
      <p>
        <Link href="/">Ask a question</Link> or look into the <Link href="/library">library</Link>.
      </p>
    </div>
  );
}
