ALTER TABLE "products" ADD COLUMN "reorder_point" bigint;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "max_stock" bigint;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "supplier_id" text;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "supplier_price_amount" bigint;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "supplier_price_currency" text;--> statement-breakpoint
ALTER TABLE "products" ADD CONSTRAINT "products_supplier_id_suppliers_id_fk" FOREIGN KEY ("supplier_id") REFERENCES "public"."suppliers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "products" ADD CONSTRAINT "products_levels" CHECK ("products"."reorder_point" >= 0 and "products"."max_stock" > 0 and "products"."max_stock" >= "products"."reorder_point");--> statement-breakpoint
ALTER TABLE "products" ADD CONSTRAINT "products_supplier_price" CHECK (("products"."supplier_price_amount" is null) = ("products"."supplier_price_currency" is null) and "products"."supplier_price_amount" between 0 and 99999999);